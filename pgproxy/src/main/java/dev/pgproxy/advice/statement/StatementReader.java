package dev.pgproxy.advice.statement;

import dev.pgproxy.advice.facts.DatabaseFacts;
import dev.pgproxy.advice.facts.Identifier;
import dev.pgproxy.advice.facts.TableFacts;
import dev.pgproxy.advice.statement.ReadStatement.Trait;
import dev.pgproxy.advice.statement.ReadStatement.Verb;
import dev.pgproxy.advice.statement.TableUse.SortKey;
import dev.pgproxy.routing.sql.LikePattern;
import dev.pgproxy.routing.sql.ParameterTypes;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import net.sf.jsqlparser.expression.Expression;
import net.sf.jsqlparser.expression.Function;
import net.sf.jsqlparser.schema.Column;
import net.sf.jsqlparser.schema.Table;
import net.sf.jsqlparser.statement.Statement;
import net.sf.jsqlparser.statement.delete.Delete;
import net.sf.jsqlparser.statement.insert.Insert;
import net.sf.jsqlparser.statement.select.AllColumns;
import net.sf.jsqlparser.statement.select.FromItem;
import net.sf.jsqlparser.statement.select.Join;
import net.sf.jsqlparser.statement.select.OrderByElement;
import net.sf.jsqlparser.statement.select.OrderByElement.NullOrdering;
import net.sf.jsqlparser.statement.select.ParenthesedFromItem;
import net.sf.jsqlparser.statement.select.ParenthesedSelect;
import net.sf.jsqlparser.statement.select.PlainSelect;
import net.sf.jsqlparser.statement.select.Select;
import net.sf.jsqlparser.statement.select.SelectItem;
import net.sf.jsqlparser.statement.select.SetOperationList;
import net.sf.jsqlparser.statement.select.Values;
import net.sf.jsqlparser.statement.select.WithItem;
import net.sf.jsqlparser.statement.update.Update;
import org.jspecify.annotations.Nullable;

/**
 * Makes a {@link ReadStatement} of a tree: what it does not understand it leaves out, so that less is advised. Good for one
 * statement.
 */
public final class StatementReader {
    private static final Set<String> AGGREGATES = Set.of(
            "count",
            "sum",
            "min",
            "max",
            "avg",
            "array_agg",
            "string_agg",
            "json_agg",
            "jsonb_agg",
            "bool_and",
            "bool_or");

    private final DatabaseFacts facts;
    private final ConditionReader conditions;
    private final Set<Trait> traits = EnumSet.noneOf(Trait.class);
    private final List<TableUse> uses = new ArrayList<>();
    private final List<Oddity> oddities = new ArrayList<>();
    private final List<String> order = new ArrayList<>();
    private boolean complete = true;

    /**
     * For one statement.
     *
     * @param patterns how the patterns of LIKE in it begin
     * @param declared of its parameters
     */
    public StatementReader(DatabaseFacts facts, LikePattern patterns, ParameterTypes declared) {
        this.facts = facts;
        this.conditions = new ConditionReader(facts, patterns, declared, oddities, this::nested);
    }

    /** Of one statement; null if it is none of those that look for rows. */
    public @Nullable ReadStatement read(Statement statement) {
        if (statement instanceof Select select) {
            select(select, null, Set.of(), true);
            if (!traits.contains(Trait.LOCKS)) {
                Words words = Words.of(select.toString());
                uses.forEach(use -> use.need(words.columns(use)));
            }
            return result(Verb.SELECT, null);
        } else if (statement instanceof Update update) {
            return result(Verb.UPDATE, update(update));
        } else if (statement instanceof Delete delete) {
            return result(Verb.DELETE, delete(delete));
        } else if (statement instanceof Insert insert) {
            return result(Verb.INSERT, insert(insert));
        }
        return null;
    }

    private ReadStatement result(Verb verb, @Nullable TableFacts written) {
        return new ReadStatement(verb, traits, uses, oddities, complete, written, order);
    }

    private @Nullable TableFacts update(Update update) {
        Block block = new Block(null, commonTables(update.getWithItemsList(), null, Set.of()));
        TableFacts written = addTable(update.getTable(), block);
        if (update.getFromItem() != null) {
            from(update.getFromItem(), update.getJoins(), block);
        }
        where(update.getWhere(), block);
        for (var set : update.getUpdateSets()) {
            set.getValues().forEach(value -> conditions.subqueries(value, block));
        }
        if (block.isSingle()) {
            block.uses.getFirst().makeWhole();
        }
        return written;
    }

    private @Nullable TableFacts delete(Delete delete) {
        Block block = new Block(null, commonTables(delete.getWithItemsList(), null, Set.of()));
        TableFacts written = addTable(delete.getTable(), block);
        List<FromItem> using = delete.getUsingFromItemList();
        for (FromItem item : using == null ? List.<FromItem>of() : using) {
            add(item, block);
        }
        from(null, delete.getJoins(), block);
        where(delete.getWhere(), block);
        if (block.isSingle()) {
            block.uses.getFirst().makeWhole();
        }
        return written;
    }

    private @Nullable TableFacts insert(Insert insert) {
        Set<String> common = commonTables(insert.getWithItemsList(), null, Set.of());
        Select select = insert.getSelect();
        if (select instanceof Values values) {
            boolean several = values.getExpressions().stream()
                    .anyMatch(net.sf.jsqlparser.expression.operators.relational.ExpressionList.class::isInstance);
            if (!several || values.getExpressions().size() == 1) {
                traits.add(Trait.ONE_ROW);
            }
        } else if (select != null) {
            select(select, null, common, false);
        }
        Table table = insert.getTable();
        return facts.table(schema(table), Identifier.meant(table.getName()));
    }

    private void where(@Nullable Expression where, Block block) {
        if (where != null) {
            traits.add(Trait.WHERE);
            conditions.read(where, block, null);
        }
    }

    private void nested(Select select, Block outer) {
        select(select, outer, outer.commonTables(), false);
    }

    private Set<String> commonTables(@Nullable List<WithItem<?>> items, @Nullable Block outer, Set<String> known) {
        Set<String> names = new HashSet<>(known);
        for (WithItem<?> item : items == null ? List.<WithItem<?>>of() : items) {
            String name = Identifier.meant(item.getAliasName());
            if (item.isRecursive()) {
                names.add(name);
            }
            Object inner = item.getParenthesedStatement();
            if (inner instanceof Select select) {
                select(select, outer, names, false);
            } else {
                complete = false;
            }
            names.add(name);
        }
        return names;
    }

    private void select(Select select, @Nullable Block outer, Set<String> known, boolean top) {
        Set<String> common = commonTables(select.getWithItemsList(), outer, known);
        if (select instanceof ParenthesedSelect inner) {
            select(inner.getSelect(), outer, common, top);
        } else if (select instanceof SetOperationList list) {
            list.getSelects().forEach(each -> select(each, outer, common, false));
            if (top) {
                traits.add(Trait.GROUPED);
                limits(list);
            }
        } else if (select instanceof PlainSelect plain) {
            plain(plain, outer, common, top);
        }
    }

    private void limits(Select select) {
        if (select.getLimit() != null || select.getFetch() != null) {
            traits.add(Trait.LIMIT);
        }
        if (select.getOffset() != null) {
            traits.add(Trait.OFFSET);
        }
    }

    private void plain(PlainSelect select, @Nullable Block outer, Set<String> common, boolean top) {
        Block block = new Block(outer, common);
        from(select.getFromItem(), select.getJoins(), block);
        boolean grouped = isGrouped(select);
        if (top) {
            limits(select);
            topTraits(select, grouped);
        } else {
            select.getSelectItems().forEach(item -> conditions.subqueries(item.getExpression(), block));
        }
        if (select.getWhere() != null) {
            if (top) {
                traits.add(Trait.WHERE);
            }
            conditions.read(select.getWhere(), block, null);
        }
        if (block.isSingle() && !grouped) {
            TableUse use = block.uses.getFirst();
            boolean limited = select.getLimit() != null || select.getFetch() != null;
            use.sortedBy(sort(select, use));
            if (limited) {
                use.limit();
            }
            if (top) {
                use.makeWhole();
            }
        }
        if (top) {
            select.getSelectItems().forEach(item -> conditions.subqueries(item.getExpression(), block));
            for (OrderByElement element :
                    select.getOrderByElements() == null ? List.<OrderByElement>of() : select.getOrderByElements()) {
                order.add(element.toString());
            }
        }
    }

    private void topTraits(PlainSelect select, boolean grouped) {
        List<SelectItem<?>> items = select.getSelectItems();
        if (grouped) {
            traits.add(Trait.GROUPED);
        }
        if (items.stream().anyMatch(item -> item.getExpression() instanceof AllColumns)) {
            traits.add(Trait.STAR);
        }
        boolean counts = items.size() == 1
                && items.getFirst().getExpression() instanceof Function function
                && function.getName().equalsIgnoreCase("count")
                && function.toString().replace(" ", "").endsWith("(*)");
        if (counts && select.getGroupBy() == null) {
            traits.add(Trait.COUNT);
        }
        if (select.getForMode() != null || select.getForUpdate() != null) {
            traits.add(Trait.LOCKS);
        }
    }

    private static boolean isGrouped(PlainSelect select) {
        return select.getGroupBy() != null
                || select.getHaving() != null
                || select.getDistinct() != null
                || select.getSelectItems().stream()
                        .anyMatch(item -> item.getExpression() instanceof Function function
                                && AGGREGATES.contains(Identifier.meant(function.getName())));
    }

    /** Of plain columns in the order of NULLs that an index has; else none. */
    private static List<SortKey> sort(PlainSelect select, TableUse use) {
        List<SortKey> keys = new ArrayList<>();
        for (OrderByElement element :
                select.getOrderByElements() == null ? List.<OrderByElement>of() : select.getOrderByElements()) {
            boolean descending = !element.isAsc();
            NullOrdering nulls = element.getNullOrdering();
            boolean usual = nulls == null || (nulls == NullOrdering.NULLS_FIRST) == descending;
            if (!usual || !(Expressions.bare(element.getExpression()) instanceof Column column)) {
                return List.of();
            }
            String name = Identifier.meant(column.getColumnName());
            if (use.table().column(name) == null) {
                return List.of();
            }
            keys.add(new SortKey(name, descending));
        }
        return keys;
    }

    // ---- FROM

    private void from(@Nullable FromItem item, @Nullable List<Join> joins, Block block) {
        if (item != null) {
            add(item, block);
        }
        for (Join join : joins == null ? List.<Join>of() : joins) {
            int before = block.uses.size();
            add(join.getFromItem(), block);
            TableUse joined = block.uses.size() == before + 1 ? block.uses.getLast() : null;
            boolean onlyJoined = join.isLeft();
            if (join.isRight() || join.isFull() || join.isNatural() || onlyJoined && joined == null) {
                continue; // what is not understood filters nothing
            }
            for (Expression on : join.getOnExpressions()) {
                conditions.read(on, block, onlyJoined ? joined : null);
            }
            for (Column column : join.getUsingColumns()) {
                conditions.using(Identifier.meant(column.getColumnName()), block, joined);
            }
        }
    }

    private void add(FromItem item, Block block) {
        if (item instanceof Table table) {
            addTable(table, block);
        } else if (item instanceof ParenthesedFromItem inner) {
            from(inner.getFromItem(), inner.getJoins(), block);
        } else {
            if (item instanceof ParenthesedSelect select) {
                select(select, block, block.commonTables(), false);
            } else {
                complete = false; // a function
            }
            block.addUnknown(
                    item.getAlias() == null
                            ? ""
                            : Identifier.meant(item.getAlias().getName()));
        }
    }

    private @Nullable TableFacts addTable(Table table, Block block) {
        String name = Identifier.meant(table.getName());
        String alias = table.getAlias() == null
                ? name
                : Identifier.meant(table.getAlias().getName());
        String schema = schema(table);
        boolean common = schema == null && block.isCommonTable(name);
        TableFacts known = common ? null : facts.table(schema, name);
        if (known == null) {
            complete &= common;
            block.addUnknown(alias);
            return null;
        }
        TableUse use = new TableUse(known, alias);
        block.uses.add(use);
        uses.add(use);
        return known;
    }

    private static @Nullable String schema(Table table) {
        return table.getSchemaName() == null ? null : Identifier.meant(table.getSchemaName());
    }
}
