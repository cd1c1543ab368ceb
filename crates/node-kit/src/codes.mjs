/** Why a fetch failed; those codes that a model in JavaScript can report. */
export const Code = Object.freeze({
  FD_EXHAUSTED: 1001,
  PORT_EXHAUSTED: 1002,
  NO_MEMORY: 1004,
  DEADLINE: 1007,
  CONNECT_REFUSED: 1201,
  CONNECT_TIMEOUT: 1202,
  CONNECT_RESET: 1203,
  CONNECT_UNREACHABLE: 1204,
  CLOSED_BEFORE_HEAD_FRESH: 1401,
  CLOSED_BEFORE_HEAD_REUSED: 1402,
  HEAD_TIMEOUT: 1403,
  HEAD_MALFORMED: 1404,
  HEAD_TOO_LARGE: 1405,
  BAD_STATUS_LINE: 1406,
  FRAMING_CONFLICT: 1407,
  RESET_IN_HEAD: 1408,
  TOO_MANY_INTERIM: 1409,
  BODY_TRUNCATED: 1501,
  CHUNK_MALFORMED: 1502,
  CHUNK_TRUNCATED: 1503,
  BODY_TIMEOUT: 1504,
  BODY_TOO_LARGE: 1505,
  RESET_IN_BODY: 1506,
  BAD_ENCODING: 1507,
  STATUS_UNEXPECTED: 1601,
  REDIRECT_UNEXPECTED: 1602,
  BODY_MISMATCH: 1604,
  TOKEN_MISMATCH: 1606,
  OTHER: 1999,
});

const WHILE_CONNECTING = {
  ECONNREFUSED: Code.CONNECT_REFUSED,
  ETIMEDOUT: Code.CONNECT_TIMEOUT,
  ECONNRESET: Code.CONNECT_RESET,
  ECONNABORTED: Code.CONNECT_RESET,
  EHOSTUNREACH: Code.CONNECT_UNREACHABLE,
  ENETUNREACH: Code.CONNECT_UNREACHABLE,
  EADDRNOTAVAIL: Code.PORT_EXHAUSTED,
  EMFILE: Code.FD_EXHAUSTED,
  ENFILE: Code.FD_EXHAUSTED,
  ENOMEM: Code.NO_MEMORY,
  ENOBUFS: Code.NO_MEMORY,
};

/** A fetch that failed, with its code. */
export class Failed extends Error {
  constructor(code) {
    super(`the fetch failed with ${code}`);
    this.code = code;
  }
}

/** Returns the code for an error of the operating system met while connecting, by its name. */
export function whileConnecting(name) {
  return WHILE_CONNECTING[name] ?? Code.OTHER;
}

/** Returns the code for a connection lost before the first byte of a reply. */
export function lostBeforeHead(reused) {
  return reused ? Code.CLOSED_BEFORE_HEAD_REUSED : Code.CLOSED_BEFORE_HEAD_FRESH;
}

/** Returns the code for a status that is not 200, or null. */
export function statusFault(status) {
  if (status === 200) return null;
  const redirects = status >= 300 && status < 400 && status !== 304;
  return redirects ? Code.REDIRECT_UNEXPECTED : Code.STATUS_UNEXPECTED;
}
