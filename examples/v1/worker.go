// A worker for /v1 in Go, with the standard library: worker URL QUEUE [LEASE].
// It prints each job. A job with the member "boom" fails; one with the member "sleep" takes so many seconds.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

type object map[string]any

type claimed struct {
	Jobs []struct {
		Receipt string
		Payload json.RawMessage
	}
}

var (
	claims = os.Args[1] + "/v1/queues/" + os.Args[2] + "/claims"
	client = http.Client{Timeout: 30 * time.Second}
)

// call gives the status and the text: 409 when the job is not ours any more, 503 when the server is away.
func call(path string, body object) (int, []byte) {
	text, _ := json.Marshal(body) // made of texts and numbers, so it cannot fail
	request, err := http.NewRequest("POST", claims+path, bytes.NewReader(text))
	if err != nil {
		stop(err.Error())
	}
	request.Header.Set("Content-Type", "application/json")
	if key := os.Getenv("PRESQUE_KEY"); key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	answer, err := client.Do(request)
	if err != nil {
		return 503, nil
	}
	defer answer.Body.Close()
	text, err = io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode == 408 {
		return 503, nil
	}
	if status := answer.StatusCode; status >= 400 && status < 500 && status != 409 {
		stop(string(text))
	}
	return answer.StatusCode, text
}

func stop(why string) {
	fmt.Fprintln(os.Stderr, why)
	os.Exit(1)
}

// work does the job and gives its result, or an error. It ends early when the job is lost.
func work(lost context.Context, payload []byte) (any, error) {
	var wish struct {
		Sleep float64
		Boom  *string
	}
	// What is no object has no such members.
	_ = json.Unmarshal(payload, &wish)
	select {
	case <-time.After(time.Duration(wish.Sleep * float64(time.Second))):
	case <-lost.Done():
		return nil, lost.Err()
	}
	if wish.Boom != nil {
		return nil, errors.New(*wish.Boom)
	}
	fmt.Fprintf(os.Stderr, "%s\n", payload)
	return "printed", nil
}

// outcome is what becomes of a job: an ack or a nack, and what it says.
type outcome struct {
	verb string
	body object
}

// finish does the job while its lease is extended, and says what became of it.
func finish(receipt string, payload []byte, lease float64) {
	lost, lose := context.WithCancel(context.Background())
	defer lose()
	done := make(chan outcome, 1)
	go func() {
		if result, err := work(lost, payload); err == nil {
			done <- outcome{"/ack", object{"result": result}}
		} else {
			done <- outcome{"/nack", object{"error": fmt.Sprintf("%.1000s", err)}}
		}
	}()
	extend := time.NewTicker(time.Duration(lease / 3 * float64(time.Second)))
	defer extend.Stop()
	for {
		select {
		case <-extend.C:
			if status, _ := call("/"+receipt+"/extend", object{}); status == 409 {
				lose()
			}
		case end := <-done:
			for lost.Err() == nil {
				if status, _ := call("/"+receipt+end.verb, end.body); status < 500 {
					return
				}
				time.Sleep(time.Second) // a repeated ack or nack does no harm
			}
			return
		}
	}
}

func main() {
	lease := 30.0
	if len(os.Args) > 3 {
		lease, _ = strconv.ParseFloat(os.Args[3], 64)
	}
	host, _ := os.Hostname()
	claim := object{"worker": fmt.Sprintf("go-%s-%d", host, os.Getpid()), "lease": lease, "wait": 5}
	stopped, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	for stopped.Err() == nil {
		status, text := call("", claim)
		if status >= 500 {
			time.Sleep(time.Second) // the server is away
		}
		if status != 200 {
			continue
		}
		var answer claimed
		if err := json.Unmarshal(text, &answer); err != nil {
			stop(err.Error())
		}
		for _, job := range answer.Jobs {
			finish(job.Receipt, job.Payload, lease)
		}
	}
}
