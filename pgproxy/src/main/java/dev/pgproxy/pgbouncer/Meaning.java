package dev.pgproxy.pgbouncer;

import org.jspecify.annotations.Nullable;

/** What a setting of PgBouncer is here. Immutable. */
sealed interface Meaning {
    /** As the last column of docs/pgbouncer.md has it. */
    String inDocumentation();

    /**
     * It is a setting of pgproxy.
     *
     * @param name pgproxy's
     * @param form how its values are read
     * @param otherwise PgBouncer's default, as it stands in an ini file, where pgproxy's is another one; null = it is the same
     */
    record Same(String name, ValueForm form, @Nullable String otherwise) implements Meaning {
        @Override
        public String inDocumentation() {
            return "`" + name + "`" + (otherwise == null ? "" : "; where it is not set " + shown());
        }

        private String shown() {
            return otherwise == null || otherwise.isEmpty() ? "none" : "`" + otherwise + "`";
        }
    }

    /**
     * There is no such setting.
     *
     * @param harmless the value that nobody misses; null = nobody misses any value
     * @param why completes the sentence "NAME: …"
     */
    record None(@Nullable String harmless, String why) implements Meaning {
        @Override
        public String inDocumentation() {
            return "no equivalent: " + why;
        }

        Remark.Kind kind(String value) {
            boolean missed = harmless != null && !harmless.equalsIgnoreCase(value);
            return missed ? Remark.Kind.DIFFERENT : Remark.Kind.NEEDLESS;
        }
    }

    /**
     * It is looked at together with others.
     *
     * @param what it becomes
     */
    record Special(String what) implements Meaning {
        @Override
        public String inDocumentation() {
            return what;
        }
    }
}
