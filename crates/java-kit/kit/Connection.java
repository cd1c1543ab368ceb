package kit;

import java.io.IOException;
import java.net.Socket;
import java.net.SocketTimeoutException;

/** The connection of a slot on a blocking socket: made when there is none, and kept for the next
 * fetch. */
public final class Connection implements AutoCloseable {
    private byte[] buffer;
    private final Reply reply = new Reply();
    private Socket socket;
    private boolean isReused;

    /** Carries the fetch of a slot to its end, whatever that is. */
    public void fetch(Slot slot) {
        int code = carry(slot);
        if (code != 0) {
            close();
            slot.fail(code);
            return;
        }
        isReused = true;
        if (reply.extra > 0 || !reply.isPersistent) {
            close();
        }
        slot.end(reply);
    }

    /** Drops the connection, if there is one. */
    @Override
    public void close() {
        try {
            if (socket != null) {
                socket.close();
            }
        } catch (IOException lost) {
            // It is gone either way.
        }
        socket = null;
    }

    /** Connects where there is no connection, sends the request and reads the reply. */
    private int carry(Slot slot) {
        if (socket == null) {
            int code = connect(slot);
            if (code != 0) {
                return code;
            }
        }
        try {
            socket.getOutputStream().write(slot.request());
        } catch (IOException lost) {
            return Codes.lostBeforeHead(isReused);
        }
        reply.start(slot.id, isReused);
        if (buffer == null) {
            buffer = slot.receiveBuffer();
        }
        try {
            return receive(slot);
        } catch (SocketTimeoutException late) {
            return reply.lostBy(Reply.Loss.TIMED_OUT);
        } catch (IOException reset) {
            return reply.lostBy(Reply.Loss.RESET);
        }
    }

    private int connect(Slot slot) {
        isReused = false;
        int left = slot.isLimited() ? slot.millisecondsLeft() : 0;
        if (slot.isLimited() && left == 0) {
            return Codes.CONNECT_TIMEOUT;
        }
        Socket socket = new Socket();
        try {
            socket.connect(slot.address, left);
            socket.setTcpNoDelay(true);
            this.socket = socket;
            return 0;
        } catch (IOException error) {
            this.socket = socket;
            return Codes.whileConnecting(error);
        }
    }

    private int receive(Slot slot) throws IOException {
        while (true) {
            if (slot.isLimited()) {
                int left = slot.millisecondsLeft();
                if (left == 0) {
                    return reply.lostBy(Reply.Loss.TIMED_OUT);
                }
                socket.setSoTimeout(left);
            }
            int count = socket.getInputStream().read(buffer);
            if (count < 0) {
                return reply.lostBy(Reply.Loss.CLOSED);
            }
            int read = reply.read(buffer, 0, count);
            if (read == Reply.WHOLE) {
                return 0;
            }
            if (read != Reply.MORE) {
                // What the head has shown already comes first.
                return reply.fault != 0 ? reply.fault : read;
            }
        }
    }
}
