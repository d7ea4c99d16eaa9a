package dev.pgproxy.pgbouncer;

/**
 * One {@code key = value} of an ini file. Immutable.
 *
 * @param section the name in brackets that it stands under
 */
record IniLine(String file, int line, String section, String key, String value) {
    Remark remark(Remark.Kind kind, String text) {
        return new Remark(kind, file, line, text);
    }

    Remark error(String text) {
        return remark(Remark.Kind.ERROR, text);
    }
}
