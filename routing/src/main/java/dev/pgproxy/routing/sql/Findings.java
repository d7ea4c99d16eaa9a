package dev.pgproxy.routing.sql;

import static dev.pgproxy.protocol.sql.KeywordCategory.RESERVED;

import dev.pgproxy.protocol.sql.QueryFacts;
import dev.pgproxy.protocol.sql.TokenType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What was found in the statements of one text so far. Good for one text; not shared. */
final class Findings {
    /** Reserved words whose value is the start of the transaction, or belongs to the connection. */
    private static final Set<String> VALUES =
            Set.of("current_timestamp", "current_date", "current_time", "localtime", "localtimestamp", "system_user");

    private final Set<Name> mentions = new HashSet<>();
    private final Set<Name> relations = new HashSet<>();
    private final Set<Name> written = new HashSet<>();
    private final Set<Name> functions = new HashSet<>();
    private final Set<Name> operators = new HashSet<>();
    private final Set<String> words = new HashSet<>();

    void addWords(Tokens tokens) {
        boolean time = false;
        if (tokens.hasTimeInput()) {
            words.add("now");
        }
        for (int i = 0; i < tokens.count(); i++) {
            if (tokens.isIdentifier(i) && (tokens.category(i) != RESERVED || VALUES.contains(tokens.keyword(i)))) {
                words.add(tokens.word(i));
            }
            if (time && tokens.keyword(i).equals("with")) {
                words.add("timetz"); // TIME [(p)] WITH TIME ZONE
            }
            time = tokens.isIdentifier(i) ? tokens.word(i).equals("time") : time && isModifier(tokens.type(i));
        }
    }

    private static boolean isModifier(int type) {
        return type == '(' || type == TokenType.NUMBER || type == ')';
    }

    void add(NameFinder names) {
        names.mentions.forEach(mention -> mentions.add(mention.name()));
        written.addAll(names.written);
        functions.addAll(names.functions);
        operators.addAll(names.operators);
    }

    void addFunction(Name name) {
        functions.add(name);
    }

    /** A relation that a statement names as its object. */
    void addTarget(Name name, boolean changes) {
        mentions.add(name);
        relations.add(name);
        if (changes) {
            written.add(name);
        }
    }

    /** Adds the mentions that JSqlParser takes for tables; false if it does not see one that is certain. */
    boolean addRelations(NameFinder names, Set<Integer> tables) {
        Map<String, List<CommonTable>> byName = new HashMap<>();
        for (CommonTable table : names.commonTables) {
            byName.computeIfAbsent(table.name(), name -> new ArrayList<>()).add(table);
        }
        for (Mention mention : names.mentions) {
            boolean seen = tables.contains(mention.place());
            if (mention.certain() && !seen) {
                return false;
            }
            List<CommonTable> same = byName.getOrDefault(mention.name().name(), List.of());
            boolean made = mention.target() && !names.written.contains(mention.name()); // SELECT INTO
            if (seen && !made && same.stream().noneMatch(table -> table.isMeantBy(mention))) {
                relations.add(mention.name());
            }
        }
        return true;
    }

    StatementShape shape(QueryFacts facts, boolean understood) {
        return new StatementShape(
                facts.kind(), facts.flags(), understood, mentions, relations, written, functions, operators, words);
    }
}
