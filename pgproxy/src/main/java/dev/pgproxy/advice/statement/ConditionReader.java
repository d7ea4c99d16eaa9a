package dev.pgproxy.advice.statement;

import dev.pgproxy.advice.facts.ColumnFacts;
import dev.pgproxy.advice.facts.DatabaseFacts;
import dev.pgproxy.advice.facts.Identifier;
import dev.pgproxy.advice.statement.Block.Found;
import dev.pgproxy.advice.statement.Expressions.Parts;
import dev.pgproxy.advice.statement.Term.Kind;
import dev.pgproxy.routing.sql.LikePattern;
import dev.pgproxy.routing.sql.ParameterTypes;
import java.util.List;
import java.util.Locale;
import java.util.function.BiConsumer;
import net.sf.jsqlparser.expression.BinaryExpression;
import net.sf.jsqlparser.expression.BooleanValue;
import net.sf.jsqlparser.expression.CastExpression;
import net.sf.jsqlparser.expression.Expression;
import net.sf.jsqlparser.expression.Function;
import net.sf.jsqlparser.expression.JdbcParameter;
import net.sf.jsqlparser.expression.NotExpression;
import net.sf.jsqlparser.expression.operators.conditional.AndExpression;
import net.sf.jsqlparser.expression.operators.relational.Between;
import net.sf.jsqlparser.expression.operators.relational.EqualsTo;
import net.sf.jsqlparser.expression.operators.relational.ExpressionList;
import net.sf.jsqlparser.expression.operators.relational.InExpression;
import net.sf.jsqlparser.expression.operators.relational.IsBooleanExpression;
import net.sf.jsqlparser.expression.operators.relational.IsNullExpression;
import net.sf.jsqlparser.expression.operators.relational.LikeExpression;
import net.sf.jsqlparser.schema.Column;
import net.sf.jsqlparser.statement.select.ParenthesedSelect;
import net.sf.jsqlparser.statement.select.PlainSelect;
import net.sf.jsqlparser.statement.select.Select;
import org.jspecify.annotations.Nullable;

/** Reads conditions into the tables that they are about. Confined to the reading of one statement. */
final class ConditionReader {
    private final DatabaseFacts facts;
    private final LikePattern patterns;
    private final ParameterTypes declared;
    private final List<Oddity> oddities;
    private final BiConsumer<Select, Block> nested;

    ConditionReader(
            DatabaseFacts facts,
            LikePattern patterns,
            ParameterTypes declared,
            List<Oddity> oddities,
            BiConsumer<Select, Block> nested) {
        this.facts = facts;
        this.patterns = patterns;
        this.declared = declared;
        this.oddities = oddities;
        this.nested = nested;
    }

    /**
     * One side of a comparison; a value that is not known at all is no side.
     *
     * @param found null for a value
     * @param isDeclared whether a driver has said the value's type, and not the text
     */
    private record Side(
            @Nullable Found found, String key, @Nullable String castTo, boolean isDeclared) {
        static final Side VALUE = new Side(null, "", null);

        Side(@Nullable Found found, String key, @Nullable String castTo) {
            this(found, key, castTo, false);
        }
    }

    /** @param only terms of other tables do not count: they do not filter these in an outer join; null = of all */
    void read(Expression condition, Block block, @Nullable TableUse only) {
        Expression bare = Expressions.bare(condition);
        if (bare instanceof AndExpression and) {
            read(and.getLeftExpression(), block, only);
            read(and.getRightExpression(), block, only);
            return;
        }
        subqueries(bare, block);
        if (!term(bare, block, only)) {
            block.uses.forEach(TableUse::addOther);
        }
    }

    /** Reads what is inside of it. */
    void subqueries(Expression expression, Block block) {
        Parts parts = Expressions.parts(expression);
        parts.selects.forEach(select -> nested.accept(select, block));
    }

    /** JOIN … USING (column). */
    void using(String column, Block block, @Nullable TableUse joined) {
        ColumnFacts right = joined == null ? null : joined.table().column(column);
        if (joined == null || right == null) {
            return;
        }
        for (TableUse left : block.uses) {
            ColumnFacts facts = left == joined ? null : left.table().column(column);
            if (facts != null) {
                left.add(new Term(Kind.JOIN, column, facts, false, joined, right));
                joined.add(new Term(Kind.JOIN, column, right, false, left, facts));
                return;
            }
        }
    }

    private boolean term(Expression bare, Block block, @Nullable TableUse only) {
        if (bare instanceof EqualsTo equal) {
            return equal(equal, block, only);
        } else if (bare instanceof InExpression in) {
            return in(in, block, only);
        } else if (bare instanceof Between between) {
            return !between.isNot() && compare(between.getLeftExpression(), List.of(), Kind.RANGE, block, only);
        } else if (bare instanceof LikeExpression like) {
            return like(like, block, only);
        } else if (bare instanceof IsNullExpression isNull) {
            Kind kind = isNull.isNot() ? Kind.IS_NOT_NULL : Kind.IS_NULL;
            return compare(isNull.getLeftExpression(), List.of(), kind, block, only);
        } else if (bare instanceof IsBooleanExpression is) {
            Kind kind = is.isTrue() ? Kind.IS_TRUE : Kind.IS_FALSE;
            return !is.isNot() && compare(is.getLeftExpression(), List.of(), kind, block, only);
        } else if (bare instanceof Column column) {
            return compare(column, List.of(), Kind.IS_TRUE, block, only);
        } else if (bare instanceof NotExpression not
                && Expressions.bare(not.getExpression()) instanceof Column column) {
            return compare(column, List.of(), Kind.IS_FALSE, block, only);
        } else if (bare instanceof BinaryExpression binary) {
            return switch (binary.getStringExpression()) {
                case "<", "<=", ">", ">=" -> range(binary, block, only);
                case "@>", "&&" ->
                    compare(
                            binary.getLeftExpression(),
                            List.of(binary.getRightExpression()),
                            Kind.CONTAINS,
                            block,
                            only);
                default -> false;
            };
        }
        return false;
    }

    private boolean range(BinaryExpression binary, Block block, @Nullable TableUse only) {
        Expression left = first(binary.getLeftExpression());
        Expression right = first(binary.getRightExpression());
        return compare(left, List.of(right), Kind.RANGE, block, only)
                || compare(right, List.of(left), Kind.RANGE, block, only);
    }

    /** Of a row the first value decides where an index begins. */
    private static Expression first(Expression expression) {
        return expression instanceof ExpressionList<?> list && list.size() > 1 ? list.getFirst() : expression;
    }

    private boolean equal(EqualsTo equal, Block block, @Nullable TableUse only) {
        Expression left = Expressions.bare(equal.getLeftExpression());
        Expression right = Expressions.bare(equal.getRightExpression());
        if (right instanceof BooleanValue value) {
            return compare(left, List.of(), value.getValue() ? Kind.IS_TRUE : Kind.IS_FALSE, block, only);
        }
        boolean any = right instanceof Function function && function.getName().equalsIgnoreCase("any");
        Side one = side(left, block);
        Side other = side(right, block);
        if (one == null || other == null) {
            return unknownJoin(one, other, block, only);
        }
        Found a = one.found();
        Found b = other.found();
        if (a != null && b != null) {
            return a.use() != b.use() && join(a, one.key(), b, other.key(), block, only);
        }
        Side key = a == null ? other : one;
        Side value = a == null ? one : other;
        return add(key, value, Kind.EQUAL, any, block, only);
    }

    /** With a column of a subquery or of a common table: how many values it has is not known. */
    private static boolean unknownJoin(@Nullable Side one, @Nullable Side other, Block block, @Nullable TableUse only) {
        Side known = one == null ? other : one;
        Found found = known == null ? null : known.found();
        if (known == null || found == null || !block.isOwn(found.use()) || only != null && only != found.use()) {
            return false;
        }
        found.use().add(new Term(Kind.JOIN, known.key(), found.column(), false, null, null));
        return true;
    }

    private static boolean join(Found a, String keyOfA, Found b, String keyOfB, Block block, @Nullable TableUse only) {
        if (block.isOwn(a.use()) && (only == null || only == a.use())) {
            a.use().add(new Term(Kind.JOIN, keyOfA, a.column(), false, b.use(), b.column()));
        }
        if (block.isOwn(b.use()) && (only == null || only == b.use())) {
            b.use().add(new Term(Kind.JOIN, keyOfB, b.column(), false, a.use(), a.column()));
        }
        return true;
    }

    private boolean in(InExpression in, Block block, @Nullable TableUse only) {
        Expression right = in.getRightExpression();
        if (right instanceof Select select) {
            Side left = in.isNot() ? side(Expressions.bare(in.getLeftExpression()), block) : null;
            Found found = left == null ? null : left.found();
            if (found != null) {
                oddities.add(new Oddity(Oddity.Kind.NOT_IN, found.use().table(), found.column(), column(select)));
            }
            return false;
        }
        Side key = side(Expressions.bare(in.getLeftExpression()), block);
        return !in.isNot()
                && key != null
                && key.found() != null
                && Expressions.parts(right).columns.isEmpty()
                && add(key, Side.VALUE, Kind.EQUAL, true, block, only);
    }

    /** What the subquery gives, as it is written, for the text of an advice. */
    private static String column(Select select) {
        Select inner = select;
        while (inner instanceof ParenthesedSelect parenthesed) {
            inner = parenthesed.getSelect();
        }
        return inner instanceof PlainSelect plain && plain.getFromItem() != null
                ? plain.getFromItem().toString()
                : "";
    }

    private boolean like(LikeExpression like, Block block, @Nullable TableUse only) {
        String word = String.valueOf(like.getLikeKeyWord()).toUpperCase(Locale.ROOT);
        Side key = side(Expressions.bare(like.getLeftExpression()), block);
        Found found = key == null ? null : key.found();
        if (key == null
                || found == null
                || like.isNot()
                || !Expressions.parts(like.getRightExpression()).columns.isEmpty()) {
            return false;
        }
        boolean folds = word.equals("ILIKE");
        if (patterns == LikePattern.UNKNOWN
                || !folds && !word.equals("LIKE")
                || !found.column().isText()) {
            return false;
        }
        if (folds || patterns == LikePattern.LEADING_WILDCARD) {
            oddities.add(new Oddity(Oddity.Kind.LEADING_WILDCARD, found.use().table(), found.column(), word));
            return false;
        }
        return add(key, Side.VALUE, Kind.PREFIX, false, block, only);
    }

    private boolean compare(Expression left, List<Expression> values, Kind kind, Block block, @Nullable TableUse only) {
        Side key = side(Expressions.bare(left), block);
        Side value = Side.VALUE;
        for (Expression each : values) {
            Side side = side(Expressions.bare(each), block);
            if (side == null || side.found() != null) {
                return false;
            }
            value = side;
        }
        return key != null && key.found() != null && add(key, value, kind, false, block, only);
    }

    private boolean add(Side key, Side value, Kind kind, boolean many, Block block, @Nullable TableUse only) {
        Found found = key.found();
        if (found == null || !block.isOwn(found.use()) || only != null && only != found.use()) {
            return false;
        }
        if (key.castTo() != null) {
            oddities.add(new Oddity(Oddity.Kind.WRAPPED, found.use().table(), found.column(), key.castTo()));
            return false;
        }
        if (value.castTo() != null && losesIndex(found.column(), value.castTo())) {
            Oddity.Kind odd = value.isDeclared() ? Oddity.Kind.DECLARED_VALUE : Oddity.Kind.CAST_VALUE;
            oddities.add(new Oddity(odd, found.use().table(), found.column(), value.castTo()));
            return false;
        }
        found.use().add(new Term(kind, key.key(), found.column(), many, null, null));
        return true;
    }

    /** Whether comparing with this type makes PostgreSQL cast the column. */
    private static boolean losesIndex(ColumnFacts column, String type) {
        return switch (column.type()) {
            case "smallint", "integer", "bigint" ->
                switch (type) {
                    case "numeric", "decimal", "real", "float", "float4", "float8", "double precision" -> true;
                    default -> false;
                };
            case "character" -> type.equals("text"); // a varchar is cast itself
            default -> false;
        };
    }

    /** Null if it depends on rows that are not known here. */
    private @Nullable Side side(Expression expression, Block block) {
        if (expression instanceof Column column && block.mayBeColumn(column)) {
            Found found = block.find(column);
            return found == null ? null : new Side(found, found.column().name(), null);
        }
        if (expression instanceof JdbcParameter parameter) {
            Integer number = parameter.getIndex();
            String type = number == null || !parameter.isUseFixedIndex() ? "" : declared.of(number);
            return type.isEmpty() ? Side.VALUE : new Side(null, "", type, true);
        }
        Parts parts = Expressions.parts(expression);
        if (parts.columns.stream().noneMatch(block::mayBeColumn)) {
            boolean casts = expression instanceof CastExpression;
            return casts ? new Side(null, "", type((CastExpression) expression)) : Side.VALUE;
        }
        Found found = block.find(parts.columns.getFirst());
        if (found == null || parts.columns.size() > 1) {
            return null;
        }
        if (expression instanceof CastExpression cast) {
            boolean same = found.column().isText()
                    && Expressions.bare(cast.getLeftExpression()) instanceof Column
                    && (type(cast).equals("text") || type(cast).equals("varchar"));
            return new Side(found, found.column().name(), same ? null : "::" + type(cast));
        }
        if (expression instanceof Function function) {
            String name = Identifier.meant(function.getName());
            ExpressionList<?> parameters = function.getParameters();
            boolean indexable = parameters != null
                    && parameters.size() == 1
                    && Expressions.bare(parameters.getFirst()) instanceof Column
                    && facts.surroundings().immutableFunctions().contains(name);
            return indexable
                    ? new Side(found, name + "(" + found.column().name() + ")", null)
                    : new Side(found, found.column().name(), name);
        }
        return expression instanceof BinaryExpression binary && isArithmetic(binary)
                ? new Side(found, found.column().name(), binary.getStringExpression())
                : null;
    }

    private static boolean isArithmetic(BinaryExpression binary) {
        return switch (binary.getStringExpression()) {
            case "+", "-", "*", "/" -> true;
            default -> false;
        };
    }

    private static String type(CastExpression cast) {
        return cast.getColDataType() == null
                ? ""
                : cast.getColDataType().toString().toLowerCase(Locale.ROOT).strip();
    }
}
