package kit;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads one line of JSON: objects, lists, texts, whole numbers of 64 bits without a sign. */
final class Json {
    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    /** Returns what a line says. */
    static Object read(String line) {
        Json json = new Json(line);
        Object value = json.value();
        json.space();
        if (json.at != line.length()) {
            throw json.wrong("nothing more");
        }
        return value;
    }

    private Object value() {
        space();
        char first = at < text.length() ? text.charAt(at) : 0;
        return switch (first) {
            case '{' -> object();
            case '[' -> list();
            case '"' -> string();
            case 't' -> word("true", true);
            case 'f' -> word("false", false);
            case 'n' -> word("null", null);
            default -> number();
        };
    }

    private Map<String, Object> object() {
        Map<String, Object> fields = new LinkedHashMap<>();
        at++;
        for (boolean more = !ends('}'); more; more = goesOn('}')) {
            space();
            String name = string();
            expect(':');
            fields.put(name, value());
        }
        return fields;
    }

    private List<Object> list() {
        List<Object> items = new ArrayList<>();
        at++;
        for (boolean more = !ends(']'); more; more = goesOn(']')) {
            items.add(value());
        }
        return items;
    }

    private String string() {
        expect('"');
        StringBuilder string = new StringBuilder();
        while (at < text.length() && text.charAt(at) != '"') {
            char c = text.charAt(at++);
            string.append(c == '\\' ? escaped() : c);
        }
        at++;
        if (at > text.length()) {
            throw wrong("the end of a text");
        }
        return string.toString();
    }

    private char escaped() {
        char c = at < text.length() ? text.charAt(at++) : 0;
        if (c == 'u' && at + 4 <= text.length()) {
            at += 4;
            return (char) Integer.parseInt(text, at - 4, at, 16);
        }
        int plain = "\"\\/bfnrt".indexOf(c);
        if (plain < 0) {
            throw wrong("an escape");
        }
        return "\"\\/\b\f\n\r\t".charAt(plain);
    }

    private Object word(String word, Object value) {
        if (!text.startsWith(word, at)) {
            throw wrong(word);
        }
        at += word.length();
        return value;
    }

    private Long number() {
        int from = at;
        while (at < text.length() && Character.isDigit(text.charAt(at))) {
            at++;
        }
        if (from == at) {
            throw wrong("a value");
        }
        return Long.parseUnsignedLong(text, from, at, 10);
    }

    /** Returns whether an object or a list ends here, and passes over its end. */
    private boolean ends(char end) {
        space();
        boolean ends = at < text.length() && text.charAt(at) == end;
        at += ends ? 1 : 0;
        return ends;
    }

    private boolean goesOn(char end) {
        if (ends(end)) {
            return false;
        }
        expect(',');
        return true;
    }

    private void expect(char wanted) {
        space();
        if (at >= text.length() || text.charAt(at) != wanted) {
            throw wrong("'" + wanted + "'");
        }
        at++;
    }

    private void space() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private IllegalArgumentException wrong(String expected) {
        return new IllegalArgumentException("expected " + expected + " at byte " + at);
    }
}
