package dev.pgproxy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.FileAppender;
import ch.qos.logback.core.encoder.Encoder;
import ch.qos.logback.core.encoder.LayoutWrappingEncoder;
import dev.pgproxy.config.LogFormat;
import dev.pgproxy.config.LogSettings;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/** Makes the log what the configuration says: the level of our own lines, the form of all, and the file. Thread-safe. */
final class Logging {
    private static final String OURS = "dev.pgproxy";
    private static final String APPENDER = "stderr";
    private static final String FILE = "logfile";
    private static final String PATTERN = "%d{yyyy-MM-dd HH:mm:ss.SSS} %-5level %msg%n%ex";

    private Logging() {}

    /** Applies the settings, for lines from now on; does nothing where another library writes the log. */
    static synchronized void apply(LogSettings settings) {
        if (!(LoggerFactory.getILoggerFactory() instanceof LoggerContext context)) {
            return;
        }
        context.getLogger(OURS).setLevel(Level.toLevel(settings.logLevel().toString()));
        Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        boolean json = settings.logFormat() == LogFormat.JSON;
        if (root.getAppender(APPENDER) instanceof ConsoleAppender<ILoggingEvent> console
                && json != isJson(console.getEncoder())) {
            console.setEncoder(encoder(context, json));
        }
        file(context, root, settings.logfile(), json);
    }

    /** Opens the file anew each time, so that it may have been renamed since. */
    private static void file(LoggerContext context, Logger root, @Nullable Path path, boolean json) {
        FileAppender<ILoggingEvent> open =
                root.getAppender(FILE) instanceof FileAppender<ILoggingEvent> appender ? appender : null;
        if (open != null
                && (path == null
                        || json != isJson(open.getEncoder())
                        || !path.toString().equals(open.getFile()))) {
            root.detachAppender(open);
            open.stop();
            open = null;
        }
        if (path == null) {
            return;
        }
        try {
            if (open != null) {
                open.openFile(open.getFile());
                return;
            }
        } catch (IOException e) {
            LoggerFactory.getLogger(Logging.class).warn("logfile cannot be opened anew: {}", e.toString());
            return;
        }
        FileAppender<ILoggingEvent> made = new FileAppender<>();
        made.setName(FILE);
        made.setContext(context);
        made.setFile(path.toString());
        made.setEncoder(encoder(context, json));
        made.start();
        if (made.isStarted()) {
            root.addAppender(made);
        } else {
            LoggerFactory.getLogger(Logging.class).warn("logfile {} cannot be opened", path);
        }
    }

    /** Nothing goes to standard error from now on. */
    static synchronized void leaveStandardError() {
        if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
            context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME).detachAppender(APPENDER);
        }
    }

    /** Writes nothing of this logger, whatever the settings say. */
    static void silence(String logger) {
        if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
            context.getLogger(logger).setLevel(Level.OFF);
        }
    }

    private static boolean isJson(Encoder<ILoggingEvent> encoder) {
        return encoder instanceof LayoutWrappingEncoder<ILoggingEvent> wrapping
                && wrapping.getLayout() instanceof JsonLines;
    }

    private static Encoder<ILoggingEvent> encoder(LoggerContext context, boolean json) {
        LayoutWrappingEncoder<ILoggingEvent> encoder;
        if (json) {
            JsonLines layout = new JsonLines();
            layout.setContext(context);
            layout.start();
            encoder = new LayoutWrappingEncoder<>();
            encoder.setLayout(layout);
        } else {
            PatternLayoutEncoder text = new PatternLayoutEncoder();
            text.setPattern(PATTERN);
            encoder = text;
        }
        encoder.setContext(context);
        encoder.setCharset(StandardCharsets.UTF_8);
        encoder.start();
        return encoder;
    }
}
