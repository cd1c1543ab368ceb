package kit;

import java.net.InetAddress;
import java.net.InetSocketAddress;

/** Where fetches go: an address with a port. */
final class Origin {
    private Origin() {}

    /** Returns whether it stays on this machine. */
    static boolean isLoopback(String origin) {
        return address(origin).getAddress().isLoopbackAddress();
    }

    /** Returns the address of an origin, which is never a name to be looked up. */
    static InetSocketAddress address(String origin) {
        int colon = origin.lastIndexOf(':');
        String host = origin.substring(0, Math.max(0, colon)).replaceAll("[\\[\\]]", "");
        int port = Integer.parseInt(origin.substring(colon + 1));
        return new InetSocketAddress(InetAddress.ofLiteral(host), port);
    }
}
