package dev.pgproxy.pgbouncer;

import com.typesafe.config.ConfigObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A {@code pgbouncer.ini} as a configuration of pgproxy: what it says, and PgBouncer's defaults where they are others and it
 * says nothing. Immutable. Reads files and so never runs on an event loop.
 */
public final class PgBouncerIni {
    private final String file;
    private final Node.Block root;
    private final List<Remark> remarks;

    private PgBouncerIni(String file, Node.Block root, List<Remark> remarks) {
        this.file = file;
        this.root = root;
        this.remarks = remarks.stream().sorted().distinct().toList();
    }

    /** Whether a file is in PgBouncer's form, by its name, else by its first line that is no comment. */
    public static boolean is(Path file) {
        String name = String.valueOf(file.getFileName());
        if (name.endsWith(".ini")) {
            return true;
        }
        if (name.endsWith(".json")) {
            return false;
        }
        try (BufferedReader lines = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            String line = lines.readLine();
            while (line != null) {
                String text = line.strip();
                if (!text.isEmpty() && text.charAt(0) != ';' && text.charAt(0) != '#') {
                    return text.matches("\\[[a-z]+].*|%include\\s.*");
                }
                line = lines.readLine();
            }
            return false;
        } catch (IOException e) {
            return false; // whoever reads it will say why
        }
    }

    /**
     * Reads a file and what it includes, relative to the working directory as PgBouncer does. What is wrong is among the
     * {@link #remarks}.
     */
    public static PgBouncerIni read(Path file) {
        List<Remark> remarks = new ArrayList<>();
        Path working = Path.of("").toAbsolutePath();
        List<IniLine> lines = IniReader.read(file, working, remarks);
        Node.Block root = new Conversion(file.toString(), working, remarks).convert(lines);
        return new PgBouncerIni(file.toString(), root, remarks);
    }

    /** As it was named. */
    public String file() {
        return file;
    }

    /** What is wrong, and what has no equivalent, by file and line. */
    public List<Remark> remarks() {
        return remarks;
    }

    /** What is wrong; if there is anything the rest is not to be used. */
    public List<Remark> errors() {
        return remarks.stream().filter(r -> r.kind() == Remark.Kind.ERROR).toList();
    }

    /** pgproxy's configuration; each value knows its line here. */
    public ConfigObject config() {
        return root.object();
    }

    /** The same as text in pgproxy's own form, with a comment for each thing without equivalent. Passwords are in it. */
    public String hocon() {
        return HoconText.of(file, root, remarks);
    }
}
