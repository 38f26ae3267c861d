#!/usr/bin/env ruby
# A worker for /v1 in Ruby, with the standard library: worker.rb URL QUEUE [LEASE].
# It prints each job. A job with the member "boom" fails; one with the member "sleep" takes so many seconds.
require "json"
require "net/http"
require "socket"

url, queue, lease = ARGV
CLAIMS = "#{url}/v1/queues/#{queue}/claims"
CLAIM = { worker: "rb-#{Socket.gethostname}-#{Process.pid}", lease: (lease || 30).to_f, wait: 5 }
HEADERS = { "Content-Type" => "application/json" }
HEADERS["Authorization"] = "Bearer #{ENV['PRESQUE_KEY']}" if ENV["PRESQUE_KEY"]
stopped = false
%w[TERM INT].each { |signal| trap(signal) { stopped = true } }

# Gives the status and the text: 409 when the job is not ours any more, 503 when the server is away.
def call(path, body)
  answer = Net::HTTP.post(URI(CLAIMS + path), JSON.generate(body), HEADERS)
  status = answer.code.to_i
  return [503, ""] if status == 408

  abort answer.body if status.between?(400, 499) && status != 409
  [status, answer.body]
rescue IOError, SystemCallError, SocketError, Timeout::Error, Net::HTTPBadResponse
  [503, ""]
end

# Does the job and gives its result, or raises.
def work(payload)
  if payload.is_a?(Hash)
    sleep payload.fetch("sleep", 0)
    raise payload["boom"] if payload.key?("boom")
  end
  warn JSON.generate(payload)
  "printed"
end

until stopped
  status, text = call("", CLAIM)
  sleep 1 if status >= 500 # the server is away
  next unless status == 200

  job = JSON.parse(text)["jobs"][0]
  path, lost = "/#{job['receipt']}", false
  task = Thread.new do
    ["/ack", { result: work(job["payload"]) }]
  rescue StandardError => error
    ["/nack", { error: error.message[0, 1000] }]
  end
  until task.join(CLAIM[:lease] / 3)
    next unless call("#{path}/extend", {})[0] == 409

    lost = true # The job is not ours any more: its work ends early.
    task.kill
  end
  verb, body = task.value
  # A repeated ack or nack does no harm.
  sleep 1 until lost || call(path + verb, body)[0] < 500
end
