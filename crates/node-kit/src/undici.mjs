import { setImmediate as nextLoop } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { Code, whileConnecting } from "./codes.mjs";
import { ID_FIELD } from "./inflight.mjs";

/** Where Node keeps the dispatcher of its own undici, whose class it does not export. */
const DISPATCHER = Symbol.for("undici.globalDispatcher.1");
/** How long an idle connection is kept: turns of a process may lie further apart than 4 s. */
const KEEP_ALIVE_MS = 600_000;

/** Carries the fetches of all slots by Node's own `fetch`, which is undici. */
export async function fetchAll(slots) {
  // It is loaded by its first use, which fetches nothing here.
  await fetch("data:,");
  const Agent = globalThis[DISPATCHER].constructor;
  const dispatcher = new Agent({ keepAliveTimeout: KEEP_ALIVE_MS });
  await Promise.all(Array.from(slots, (slot) => drive(slot, dispatcher)));
  await dispatcher.destroy();
}

async function drive(slot, dispatcher) {
  while (slot.begin() || (await slot.nextTurn())) {
    const left = slot.timeLeft();
    const signal = left === null ? null : AbortSignal.timeout(left);
    let response, body;
    let fault = null;
    try {
      response = await fetch(slot.url(), { dispatcher, redirect: "manual", signal });
      fault = slot.headFault(response.status, response.headers.get(ID_FIELD));
      body = new Uint8Array(await response.arrayBuffer());
    } catch (error) {
      slot.fail(fault ?? code(error, response !== undefined));
      continue;
    }
    slot.settle(fault, body.length, crc32(body));
    // undici frees a connection one round of the loop after its reply, and makes another if it is
    // asked before. Its own limit of connections would do, but a 204 with a length blocks one.
    await nextLoop();
  }
}

/** Returns the code of what undici says went wrong, before or after it has shown the head. */
function code(error, hasHead) {
  const { syscall, code } = error.cause ?? {};
  if (error.name === "TimeoutError") return Code.DEADLINE;
  if (syscall === "connect") return whileConnecting(code);
  if (hasHead) return Code.BODY_TRUNCATED;
  const isLost = ["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"].includes(code);
  return isLost ? Code.CLOSED_BEFORE_HEAD_FRESH : Code.HEAD_MALFORMED;
}
