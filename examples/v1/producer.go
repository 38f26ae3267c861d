// A producer for /v1 in Go, with the standard library: producer URL QUEUE NAME < JOBS, a line of JSON for each.
// It prints their ids. When it broke off, run it again with the same name and the same jobs: none is inserted twice.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

type job struct {
	ID      string          `json:"id,omitempty"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

type jobs struct {
	Jobs []job `json:"jobs"`
}

type problem struct{ Type, Detail string }

var client = http.Client{Timeout: 30 * time.Second}

// insert inserts up to 1000 jobs, all or none, and gives them with their ids.
func insert(target string, batch []job, idempotencyKey string) ([]job, error) {
	body, err := json.Marshal(jobs{batch})
	if err != nil {
		return nil, err
	}
	pause := 100 * time.Millisecond
	for attempt := 0; attempt < 10; attempt++ {
		// Where there is no answer, it is not known whether they were stored: the key makes it safe to ask again.
		status, text := post(target, body, idempotencyKey)
		if status < 300 {
			var stored jobs
			err := json.Unmarshal(text, &stored)
			return stored.Jobs, err
		}
		if status < 500 && status != 408 {
			var why problem
			if err := json.Unmarshal(text, &why); err != nil {
				return nil, err
			}
			return nil, fmt.Errorf("%s: %s", why.Type, why.Detail)
		}
		time.Sleep(pause)
		if pause *= 2; pause > 10*time.Second {
			pause = 10 * time.Second
		}
	}
	return nil, fmt.Errorf("the server is away")
}

// post gives the status and the text of the answer; 503 where there is none.
func post(target string, body []byte, idempotencyKey string) (int, []byte) {
	request, err := http.NewRequest("POST", target, bytes.NewReader(body))
	stopIf(err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", `"`+idempotencyKey+`"`)
	if key := os.Getenv("PRESQUE_KEY"); key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	answer, err := client.Do(request)
	if err != nil {
		return 503, nil
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 503, nil
	}
	return answer.StatusCode, text
}

func stopIf(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	target, name := os.Args[1]+"/v1/queues/"+os.Args[2]+"/jobs", os.Args[3]
	var batch []job
	number := 0
	send := func() {
		if len(batch) == 0 {
			return
		}
		number++
		stored, err := insert(target, batch, fmt.Sprintf("%s-%d", name, number))
		stopIf(err)
		for _, job := range stored {
			fmt.Println(job.ID)
		}
		batch = nil
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		batch = append(batch, job{Payload: append([]byte(nil), lines.Bytes()...)})
		if len(batch) == 1000 {
			send()
		}
	}
	stopIf(lines.Err())
	send()
}
