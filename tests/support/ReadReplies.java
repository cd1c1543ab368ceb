import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.HexFormat;

import kit.Reply;
import kit.Work;

/** Reads a reply a line, after the length of its pieces, and says a verdict a line: the code of its
 * failure or 0, and whether bytes followed that belong to none. */
public final class ReadReplies {
    private static final long CHECKSUM = Work.crc(Work.body(42, 0, 16));

    public static void main(String[] arguments) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = lines.readLine()) != null;) {
            int space = line.indexOf(' ');
            byte[] input = HexFormat.of().parseHex(line.substring(space + 1));
            System.out.println(verdict(Integer.parseInt(line.substring(0, space)), input));
        }
    }

    private static String verdict(int length, byte[] input) {
        Reply reply = new Reply();
        reply.start(0, false);
        for (int at = 0; at < input.length; at += length) {
            int read = reply.read(input, at, Math.min(input.length, at + length));
            boolean isRight = reply.length == 16 && reply.checksum() == CHECKSUM;
            int fault = reply.fault != 0 ? reply.fault : read > 0 ? read : isRight ? 0 : 1604;
            if (read != Reply.MORE) {
                return fault + " " + (read == Reply.WHOLE && reply.extra > 0);
            }
        }
        return reply.lostBy(Reply.Loss.CLOSED) + " false";
    }
}
