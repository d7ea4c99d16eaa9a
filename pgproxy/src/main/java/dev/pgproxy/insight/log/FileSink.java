package dev.pgproxy.insight.log;

import dev.pgproxy.json.JsonLinesFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Lines of JSON. Confined to one thread. */
record FileSink(JsonLinesFile file) implements LogSink {
    @Override
    public void open() {}

    @Override
    public long write(List<LogRow> rows) throws IOException {
        StringBuilder lines = new StringBuilder(rows.size() * 400);
        rows.forEach(row -> lines.append(row.json()));
        byte[] bytes = lines.toString().getBytes(StandardCharsets.UTF_8);
        file.append(bytes);
        return bytes.length;
    }

    @Override
    public void close() {}
}
