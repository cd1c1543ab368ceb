import { Connection } from "node-kit/connection.mjs";
import { serve } from "node-kit/inflight.mjs";

/** Carries the fetches of one slot, over a connection that is kept. */
async function drive(slot) {
  const connection = new Connection();
  while (slot.begin() || (await slot.nextTurn())) await connection.fetch(slot);
  connection.close();
}

serve({}, (slots) => Promise.all(Array.from(slots, drive)));
