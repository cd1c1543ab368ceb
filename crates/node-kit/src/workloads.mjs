/** The workloads, as the crate `workload` has them: one entry each. */
export const WORKLOADS = {
  /** So many fetches, at most `in_flight` at once, in a process of their own. */
  batch: { isResident: false, surplus: () => 0 },
  /** Always `in_flight` at once, turn after turn: a fetch a slot follows the window. */
  steady: { isResident: true, surplus: (cell) => cell.in_flight },
  /** All at once, held by the origin until what they take was read. */
  hold: { isResident: false, surplus: () => 0 },
  /** Always `in_flight` at once, each on a connection of its own, which the origin ends. */
  churn: { isResident: true, surplus: (cell) => cell.in_flight },
  /** Fetches that arrive at a rate, turn after turn. */
  paced: { isResident: true, surplus: () => 0 },
};
