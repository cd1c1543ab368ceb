//! What cargo builds of the kit for Go, and of each model in Go: nothing.
//!
//! A package needs a target, and what is run of a model is built from its `model.go` and the Go of
//! this folder by `go build`, which the harness calls.
