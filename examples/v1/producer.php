#!/usr/bin/env php
<?php
// A producer for /v1 in PHP, without extensions: producer.php URL QUEUE NAME < JOBS, a line of JSON for each.
// It prints their ids. When it broke off, run it again with the same name and the same jobs: none is inserted twice.
[, $url, $queue, $name] = $argv;

/** Inserts up to 1000 jobs, each as text, all or none, and gives their ids. */
function insert(string $target, array $jobs, string $idempotency_key): array
{
    $headers = ['Content-Type: application/json', "Idempotency-Key: \"$idempotency_key\""];
    if (getenv('PRESQUE_KEY')) {
        $headers[] = 'Authorization: Bearer ' . getenv('PRESQUE_KEY');
    }
    $options = ['method' => 'POST', 'header' => $headers, 'content' => '{"jobs":[' . implode(',', $jobs) . ']}'];
    $context = stream_context_create(['http' => $options + ['ignore_errors' => true, 'timeout' => 30]]);
    for ($attempt = 0; $attempt < 10; $attempt++) {
        $http_response_header = [];
        $text = @file_get_contents($target, false, $context);
        // Whether it was stored is not known where there is no answer: the key makes it safe to ask again.
        $status = $text === false ? 503 : (int) explode(' ', $http_response_header[0] ?? 'HTTP/1.1 503')[1];
        $answer = json_decode((string) $text, true);
        // An answer that broke off in its middle is no JSON.
        if ($status < 300 && $answer !== null) {
            return array_column($answer['jobs'], 'id');
        }
        if ($status >= 400 && $status < 500 && $status !== 408) {
            fwrite(STDERR, "{$answer['type']}: {$answer['detail']}\n");
            exit(1);
        }
        usleep(min(100_000 * 2 ** $attempt, 10_000_000));
    }
    fwrite(STDERR, "the server is away\n");
    exit(1);
}

$jobs = [];
$number = 0;
do {
    $line = fgets(STDIN);
    if ($line !== false) {
        // Looks at it only, since it rounds long numbers: the line is sent as it is.
        json_decode($line, flags: JSON_THROW_ON_ERROR);
        $jobs[] = "{\"payload\":$line}";
    }
    if (count($jobs) === 1000 || ($line === false && $jobs)) {
        $number++;
        echo implode("\n", insert("$url/v1/queues/$queue/jobs", $jobs, "$name-$number")), "\n";
        $jobs = [];
    }
} while ($line !== false);
