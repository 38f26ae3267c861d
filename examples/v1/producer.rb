#!/usr/bin/env ruby
# A producer for /v1 in Ruby, with the standard library: producer.rb URL QUEUE NAME < JOBS, a line of JSON for each.
# It prints their ids. When it broke off, run it again with the same name and the same jobs: none is inserted twice.
require "json"
require "net/http"

url, queue, NAME = ARGV
JOBS = URI("#{url}/v1/queues/#{queue}/jobs")
HEADERS = { "Content-Type" => "application/json" }
HEADERS["Authorization"] = "Bearer #{ENV['PRESQUE_KEY']}" if ENV["PRESQUE_KEY"]

# Inserts up to 1000 jobs, each as text, all or none, and gives their ids.
def insert(jobs, idempotency_key)
  headers = HEADERS.merge("Idempotency-Key" => "\"#{idempotency_key}\"")
  10.times do |attempt|
    begin
      answer = Net::HTTP.post(JOBS, "{\"jobs\":[#{jobs.join(',')}]}", headers)
      status = answer.code.to_i
      return JSON.parse(answer.body)["jobs"].map { |job| job["id"] } if status < 300

      abort JSON.parse(answer.body).values_at("type", "detail").join(": ") if status < 500 && status != 408
    rescue IOError, SystemCallError, SocketError, Timeout::Error, Net::HTTPBadResponse
      # Whether it was stored is not known: the key makes it safe to ask again.
    end
    sleep [0.1 * 2**attempt, 10].min
  end
  abort "the server is away"
end

# Gives the job with this line as its payload, or raises.
def job(line)
  JSON.parse(line) # looks at it only, since it rounds long numbers: the line is sent as it is
  "{\"payload\":#{line}}"
end

$stdin.each_line.each_slice(1000).with_index(1) do |lines, number|
  puts insert(lines.map { |line| job(line) }, "#{NAME}-#{number}")
end
