#!/usr/bin/env perl
# A worker in Perl, with core modules alone: worker.pl URL QUEUE
# It prints each job. A job with the member "boom" fails, and is tried five times in all.
use strict;
use warnings;
use HTTP::Tiny;
use JSON::PP;
use Sys::Hostname;

my ($url, $queue) = @ARGV;
my $json = JSON::PP->new->utf8->canonical->allow_nonref;
my $http = HTTP::Tiny->new(
    default_headers => {
        'Content-Type'       => 'application/json',
        'X-presque-workerid' => 'pl-' . hostname() . "-$$",
    },
);
my $stopped = 0;
$SIG{TERM} = $SIG{INT} = sub { $stopped = 1 };

sub call {
    my ($method, $path, $body) = @_;
    return $http->request($method, $url . $path, defined $body ? { content => $body } : {});
}

# Does the job, or dies.
sub work {
    my ($job) = @_;
    die "$job->{boom}\n" if ref $job eq 'HASH' && exists $job->{boom};
    print STDERR $json->encode($job), "\n";
}

call(POST => "/w/$queue", '{}');
until ($stopped) {
    my $answer = call(GET => "/q/$queue");
    if ($answer->{status} != 200) {
        sleep 1;    # nothing to do, or the server is away; a signal ends the pause
        next;
    }
    my $job = $json->decode($answer->{content});
    next if eval { work($job); 1 };
    push @{ $job->{fail} }, $@;
    $job->{retries_left} = ($job->{retries_left} // 5) - 1;
    call(PUT => "/q/$queue", $json->encode($job)) if $job->{retries_left} > 0;
}
call(DELETE => "/w/$queue");
