import { connect } from "node:net";
import { Code, Failed, whileConnecting } from "./codes.mjs";
import { Loss, Reply } from "./reply.mjs";

/** The connection of a slot over `node:net`: made when there is none, kept for the next fetch. */
export class Connection {
  constructor() {
    this._socket = null;
    this._forget();
  }

  /** Carries the fetch of a slot to its end, whatever that is. */
  async fetch(slot) {
    const left = slot.timeLeft();
    const timer = left === null ? null : setTimeout(() => this._lose(Loss.TIMEOUT), left);
    try {
      if (this._socket === null) await this._connect(slot);
      const reply = await this._exchange(slot);
      if (reply.extra > 0) slot.followed();
      if (reply.extra > 0 || !reply.persistent) this.close();
      slot.settle(reply.fault, reply.length, reply.checksum);
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      this.close();
      slot.fail(error.code);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Drops the connection, if there is one. */
  close() {
    this._socket?.destroy();
    this._socket = null;
    this._forget();
  }

  _forget() {
    this._isReused = false;
    // Why no more bytes come, if that was noticed between two fetches.
    this._loss = null;
    this._reply = this._resolve = this._reject = null;
  }

  async _connect({ host, port }) {
    // Half open, so that a request is sent even if the peer has closed its end.
    const socket = connect({ host, port, noDelay: true, allowHalfOpen: true });
    const ifOwn = (react) => (event) => socket === this._socket && react(event);
    socket.on("data", ifOwn((bytes) => this._read(bytes)));
    // libuv takes a reset that comes with the last bytes for an end; an empty write shows it.
    const end = (error) => this._lose(error ? Loss.RESET : Loss.CLOSED);
    socket.on("end", ifOwn(() => socket.write("", ifOwn(end))));
    socket.on("error", ifOwn((error) => this._lose(Loss.RESET, error)));
    this._socket = socket;
    await new Promise((resolve, reject) => {
      this._reject = reject;
      socket.once("connect", resolve);
    });
  }

  /** Sends the request and awaits the whole reply. */
  _exchange(slot) {
    return new Promise((resolve, reject) => {
      this._resolve = resolve;
      this._reject = reject;
      this._reply = new Reply(slot.id, this._isReused);
      if (!this._socket.destroyed) this._socket.write(slot.request(), "latin1");
      if (this._loss !== null) this._lose(this._loss);
      else if (this._socket.isPaused()) this._socket.resume();
    });
  }

  _read(bytes) {
    if (this._reply === null) {
      // It came late after a reply: the next fetch reads it.
      this._socket.pause();
      this._socket.unshift(bytes);
      return;
    }
    const reply = this._reply;
    try {
      if (!reply.read(bytes)) return;
    } catch (error) {
      this._reject(error instanceof Failed && reply.fault ? new Failed(reply.fault) : error);
      return;
    }
    this._reply = this._reject = null;
    this._isReused = true;
    this._resolve(reply);
  }

  _lose(loss, error) {
    if (this._reject === null) this._loss ??= loss;
    else if (this._reply !== null) this._reject(new Failed(this._reply.lost(loss)));
    else if (error) this._reject(new Failed(whileConnecting(error.code)));
    else this._reject(new Failed(Code.CONNECT_TIMEOUT));
  }
}
