package dev.pgproxy.routing.catalog;

import java.util.HashSet;
import java.util.Set;

/**
 * What a stored expression or query refers to, read from the text form of its pg_node_tree
 * (src/backend/nodes/outfuncs.c): the parser has resolved every name in it to an OID already, implicit operators and
 * casts included. Fields look like {@code :funcid 1299}; white space inside names is escaped there, and literals are
 * lists of bytes, so nothing that a user writes can look like a field. Confined to its thread.
 */
final class NodeTree {
    /** pg_proc.dat: current_setting(text), current_setting(text, boolean), nextval(regclass). */
    private static final Set<Integer> CURRENT_SETTING = Set.of(2077, 3294);

    private static final int NEXTVAL = 1574;

    /** SQLValueFunctionOp (primnodes.h): the values up to here are CURRENT_DATE … LOCALTIMESTAMP(n), then come roles. */
    private static final int LAST_OF_TIME = 8;

    final Set<Integer> relations = new HashSet<>();
    final Set<Integer> functions = new HashSet<>();
    final Set<Integer> operators = new HashSet<>();
    final Set<Integer> types = new HashSet<>();
    boolean locksRows;
    boolean transactionBound;

    /** Whether current_setting is called, with whatever argument. */
    boolean dependsOnSettings;

    /** Whether it names a system column that row locks change, or commands of the transaction. */
    boolean namesTransientColumn;

    /** Whether nextval is called for a sequence that pg_depend knows. */
    boolean advancesKnownSequence;

    private final String tree;

    NodeTree(String tree) {
        this.tree = tree;
        for (int at = tree.indexOf(" :"); at >= 0; at = tree.indexOf(" :", at + 2)) {
            field(at + 2);
        }
    }

    private void field(int at) {
        switch (tree.charAt(at)) {
            case 'a' -> add(functions, at, "aggfnoid ");
            case 'e' -> add(operators, at, "eqop ");
            case 'f' -> function(at);
            case 'h' -> locksRows |= tree.startsWith("hasForUpdate true", at);
            case 'o' -> operator(at);
            case 'r' -> {
                add(relations, at, "relid ");
                add(types, at, "resulttype ");
            }
            case 's' -> add(operators, at, "sortop ");
            case 't' -> add(functions, at, "tsmhandler ");
            case 'v' -> namesTransientColumn |= isTransientColumn(at);
            case 'w' -> add(functions, at, "winfnoid ");
            default -> {}
        }
    }

    /** Attribute numbers (sysattr.h): -3 cmin, -4 xmax, -5 cmax. */
    private boolean isTransientColumn(int at) {
        return tree.startsWith("varattno -", at) && "345".indexOf(tree.charAt(at + 10)) >= 0;
    }

    private void function(int at) {
        int oid = number(at, "funcid ");
        dependsOnSettings |= CURRENT_SETTING.contains(oid);
        if (oid == NEXTVAL && constant(at).startsWith("2205 ")) {
            advancesKnownSequence = true;
        } else if (oid != 0 && !(CURRENT_SETTING.contains(oid) && namesCustomSetting(constant(at)))) {
            functions.add(oid);
        }
    }

    private void operator(int at) {
        add(functions, at, "opfuncid ");
        add(operators, at, "opno ");
        if (tree.startsWith("op ", at) && tree.startsWith("{SQLVALUEFUNCTION", at - 19)) {
            transactionBound |= number(at, "op ") <= LAST_OF_TIME;
        } else if (tree.startsWith("opnos (o", at)) {
            for (String oid :
                    tree.substring(at + 8, tree.indexOf(')', at)).trim().split(" ", -1)) {
                operators.add(Integer.parseUnsignedInt(oid));
            }
        }
    }

    /** The only argument of a call if it is a constant: from its type's OID to the end of its bytes; else empty. */
    private String constant(int at) {
        String constant = " :args ({CONST :consttype ";
        int arguments = tree.indexOf(" :args ", at);
        int end = tree.indexOf('}', at);
        return arguments >= 0 && tree.startsWith(constant, arguments) && end > arguments
                ? tree.substring(arguments + constant.length(), end)
                : "";
    }

    /**
     * Whether the value of a text constant has a dot in it, as only settings of users and extensions have: sessions have
     * them with the same value on every host. The first four bytes are the length.
     */
    private static boolean namesCustomSetting(String constant) {
        int open = constant.indexOf('[');
        if (!constant.startsWith("25 ") || open < 0) {
            return false;
        }
        String[] bytes = constant.substring(open + 1).trim().split(" ", -1);
        for (int i = 4; i < bytes.length; i++) {
            if (bytes[i].equals("46")) {
                return true;
            }
        }
        return false;
    }

    private void add(Set<Integer> oids, int at, String field) {
        int oid = number(at, field);
        if (oid != 0) {
            oids.add(oid);
        }
    }

    /** The OID behind the name of a field; 0 if it is another field, or has none. */
    private int number(int at, String field) {
        if (!tree.startsWith(field, at)) {
            return 0;
        }
        long value = 0;
        for (int i = at + field.length(); i < tree.length(); i++) {
            char c = tree.charAt(i);
            if (c < '0' || c > '9') {
                break;
            }
            value = value * 10 + (c - '0');
        }
        return (int) value;
    }
}
