package dev.pgproxy.insight.log;

import java.io.IOException;
import java.sql.SQLException;
import java.util.List;

/** Where rows of the log go. Confined to one thread, which may wait. */
sealed interface LogSink permits FileSink, TableSink {
    /** Makes sure that rows can be written, as far as that can be known: what is not written yet is kept if not. */
    void open() throws IOException, SQLException;

    /** Writes all of them or, as far as anybody knows, none; returns how many bytes that is. */
    long write(List<LogRow> rows) throws IOException, SQLException;

    /** Nothing has been written for some time, or something has failed: gives back what it holds. */
    void close();
}
