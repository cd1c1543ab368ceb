package kit

// workload is what differs between workloads.
type workload struct {
	// Whether a process takes turn after turn.
	isResident bool
	// The fetches that follow the window.
	surplus func(*cell) uint64
}

// workloads are those of the crate `workload`: one entry each.
var workloads = map[string]workload{
	// So many fetches, at most `in_flight` at once, in a process of their own.
	"batch": {false, func(*cell) uint64 { return 0 }},
	// Always `in_flight` at once, turn after turn: a fetch a slot follows the window.
	"steady": {true, func(cell *cell) uint64 { return cell.InFlight }},
	// All at once, held by the origin until what they take was read.
	"hold": {false, func(*cell) uint64 { return 0 }},
	// Always `in_flight` at once, each on a connection of its own, which the origin ends.
	"churn": {true, func(cell *cell) uint64 { return cell.InFlight }},
	// Fetches that arrive at a rate, turn after turn.
	"paced": {true, func(*cell) uint64 { return 0 }},
}
