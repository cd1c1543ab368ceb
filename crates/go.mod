module inflight

go 1.24
