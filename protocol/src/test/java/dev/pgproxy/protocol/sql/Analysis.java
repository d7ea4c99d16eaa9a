package dev.pgproxy.protocol.sql;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.Unpooled;

/** Analyses texts given as strings; for tests. */
final class Analysis {
    private static final SqlAnalyzer ANALYZER = new SqlAnalyzer();

    private Analysis() {}

    static synchronized QueryFacts of(String sql) {
        return of(sql, true);
    }

    static synchronized QueryFacts of(String sql, boolean standardConformingStrings) {
        byte[] bytes = sql.getBytes(UTF_8);
        return ANALYZER.analyze(Unpooled.wrappedBuffer(bytes), 0, bytes.length, standardConformingStrings, false);
    }

    static StatementFacts single(String sql) {
        QueryFacts facts = of(sql);
        if (facts.statementCount() != 1) {
            throw new AssertionError(sql + " is " + facts);
        }
        return facts.statements().getFirst();
    }

    static synchronized String fingerprint(String sql) {
        of(sql);
        return Long.toHexString(ANALYZER.fingerprintHigh()) + ":" + Long.toHexString(ANALYZER.fingerprintLow());
    }
}
