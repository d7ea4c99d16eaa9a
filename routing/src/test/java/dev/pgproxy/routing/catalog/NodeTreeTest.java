package dev.pgproxy.routing.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class NodeTreeTest {
    @Test
    void fieldsGiveTheirOids() {
        NodeTree tree = new NodeTree("({QUERY :rtable ({RANGETBLENTRY :relid 4294967295 :x 1}) :a {AGGREF :aggfnoid 11}"
                + " {WINDOWFUNC :winfnoid 12} {OPEXPR :opno 13 :opfuncid 14} {COERCEVIAIO :arg <> :resulttype 15}"
                + " {ROWCOMPAREEXPR :opnos (o 16 17)} {SORTGROUPCLAUSE :eqop 18 :sortop 0} {FUNCEXPR :funcid 19 :args <>}"
                + " {TABLESAMPLECLAUSE :tsmhandler 20}})");
        assertThat(tree.relations).containsExactly(-1);
        assertThat(tree.functions).containsExactlyInAnyOrder(11, 12, 14, 19, 20);
        assertThat(tree.operators).containsExactlyInAnyOrder(13, 16, 17, 18);
        assertThat(tree.types).containsExactly(15);
        assertThat(tree.locksRows).isFalse();
        assertThat(tree.transactionBound).isFalse();
    }

    @Test
    void timeOfTheTransactionIsToldFromRoles() {
        assertThat(new NodeTree("{SQLVALUEFUNCTION :op 0 :type 1082}").transactionBound)
                .isTrue();
        assertThat(new NodeTree("{SQLVALUEFUNCTION :op 8 :type 1114}").transactionBound)
                .isTrue();
        assertThat(new NodeTree("{SQLVALUEFUNCTION :op 10 :type 19}").transactionBound)
                .isFalse();
        assertThat(new NodeTree("{SETOPERATIONSTMT :op 1 :all true}").transactionBound)
                .isFalse();
    }

    @Test
    void rowLocksAreSeen() {
        assertThat(new NodeTree("({QUERY :hasForUpdate true})").locksRows).isTrue();
        assertThat(new NodeTree("({QUERY :hasForUpdate false})").locksRows).isFalse();
    }

    @Test
    void namesCannotLookLikeFields() {
        NodeTree tree = new NodeTree("{ALIAS :aliasname x\\ :relid\\ 5 :colnames (\"a\\ :funcid\\ 6\")}");
        assertThat(tree.relations).isEmpty();
        assertThat(tree.functions).isEmpty();
    }

    @Test
    void settingsWithADotDoNotCount() {
        String call =
                "{FUNCEXPR :funcid 2077 :inputcollid 100 :args ({CONST :consttype 25 :constvalue 9 [ 36 0 0 0 97 %d 112"
                        + " 46 121 ]}) :location -1}";
        assertThat(new NodeTree(call.replace("%d", "98")).functions).isEmpty();
        assertThat(new NodeTree(call.replace(" 46 ", " 47 ")).functions).containsExactly(2077);
        assertThat(new NodeTree("{FUNCEXPR :funcid 2077 :args ({VAR :varno 1})}").functions)
                .containsExactly(2077);
    }

    @Test
    void sequencesNamedByConstantsAreKnownElsewhere() {
        NodeTree known = new NodeTree("{FUNCEXPR :funcid 1574 :args ({CONST :consttype 2205 :constvalue 4 [ 1 64 ]})}");
        assertThat(known.functions).isEmpty();
        assertThat(known.advancesKnownSequence).isTrue();
        NodeTree late = new NodeTree("{FUNCEXPR :funcid 1574 :args ({FUNCEXPR :funcid 1079 :args <>})}");
        assertThat(late.functions).containsExactlyInAnyOrder(1574, 1079);
    }
}
