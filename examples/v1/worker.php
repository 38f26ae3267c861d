#!/usr/bin/env php
<?php
// A worker for /v1 in PHP, with the extension pcntl: worker.php URL QUEUE [LEASE].
// It prints each job. A job with the member "boom" fails; one with the member "sleep" takes so many seconds.
[, $url, $queue] = $argv;
$claims = "$url/v1/queues/$queue/claims";
$claim = ['worker' => 'php-' . gethostname() . '-' . getmypid(), 'lease' => (float) ($argv[3] ?? 30), 'wait' => 5];
$stopped = false;
pcntl_async_signals(true);
foreach ([SIGTERM, SIGINT] as $signal) {
    pcntl_signal($signal, function () use (&$stopped) {
        $stopped = true;
    });
}

/** Gives the status and the text: 409 when the job is not ours any more, 503 when the server is away. */
function call(string $target, array $body): array
{
    $headers = ['Content-Type: application/json'];
    if (getenv('PRESQUE_KEY')) {
        $headers[] = 'Authorization: Bearer ' . getenv('PRESQUE_KEY');
    }
    $options = ['method' => 'POST', 'header' => $headers, 'content' => json_encode((object) $body)];
    $options += ['ignore_errors' => true, 'timeout' => 30];
    $http_response_header = [];
    $text = @file_get_contents($target, false, stream_context_create(['http' => $options]));
    $status = $text === false ? 503 : (int) explode(' ', $http_response_header[0] ?? 'HTTP/1.1 503')[1];
    if ($status === 408) {
        return [503, ''];
    }
    if ($status >= 400 && $status < 500 && $status !== 409) {
        fwrite(STDERR, "$text\n");
        exit(1);
    }
    return [$status, (string) $text];
}

/** Does the job and gives its result, or throws. */
function work(mixed $payload): mixed
{
    usleep((int) (1e6 * ($payload->sleep ?? 0)));
    if (isset($payload->boom)) {
        throw new RuntimeException($payload->boom);
    }
    fwrite(STDERR, json_encode($payload) . "\n");
    return 'printed';
}

/** Does the job in a process of its own, which can be ended. Gives its process id, and a stream with what became of it. */
function begin(mixed $payload): array
{
    [$ours, $its] = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
    $process = pcntl_fork();
    if ($process !== 0) {
        fclose($its);
        return [$process, $ours];
    }
    // Ctrl-C reaches it as well: the worker finishes its job first.
    pcntl_signal(SIGINT, SIG_IGN);
    pcntl_signal(SIGTERM, SIG_DFL);
    try {
        $end = ['ack', ['result' => work($payload)]];
    } catch (Throwable $why) {
        $end = ['nack', ['error' => substr($why->getMessage(), 0, 1000)]];
    }
    fwrite($its, json_encode($end, JSON_INVALID_UTF8_SUBSTITUTE));
    exit(0);
}

while (!$stopped) {
    [$status, $text] = call($claims, $claim);
    if ($status >= 500) {
        sleep(1); // the server is away
    }
    // An answer that broke off in its middle is no JSON. Its job comes back when the lease ends.
    $job = $status === 200 ? (json_decode($text)->jobs[0] ?? null) : null;
    if ($job === null) {
        continue;
    }
    [$process, $stream] = begin($job->payload ?? null);
    $ends = microtime(true) + $claim['lease'] / 3;
    $lost = false;
    do {
        [$read, $write, $except] = [[$stream], null, null];
        $left = max(0, (int) (1e6 * ($ends - microtime(true))));
        // A signal ends this early, which is no news.
        $is_done = @stream_select($read, $write, $except, 0, $left) === 1;
        if (!$is_done && microtime(true) >= $ends) {
            $ends = microtime(true) + $claim['lease'] / 3;
            if (call("$claims/{$job->receipt}/extend", [])[0] === 409) {
                $lost = posix_kill($process, SIGKILL);
            }
        }
    } while (!$is_done);
    $end = json_decode(stream_get_contents($stream), true);
    pcntl_waitpid($process, $ended);
    // A process that crashed says nothing.
    [$verb, $body] = $end ?? ['nack', ['error' => "the job's process ended with $ended"]];
    // A repeated ack or nack does no harm.
    while (!$lost && call("$claims/{$job->receipt}/$verb", $body)[0] >= 500) {
        sleep(1);
    }
}
