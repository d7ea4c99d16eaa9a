package dev.pgproxy.testing;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigSyntax;
import com.typesafe.config.ConfigUtil;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the script of the page says that it shows. Immutable.
 *
 * @param columns by table
 * @param asked the tables that it asks for, since they are not told
 * @param totals the names in SHOW TOTALS that it uses
 */
public record PageText(Map<String, List<String>> columns, Set<String> asked, Set<String> totals) {
    private static final Pattern TOTAL = Pattern.compile("\\btotals\\.(total_[a-z_]+)");
    private static final String BEGIN = "const TABLES = ";

    public static PageText read(String script) {
        int begin = script.indexOf(BEGIN) + BEGIN.length();
        Config tables = ConfigFactory.parseString(
                script.substring(begin, script.indexOf(";\n", begin)),
                ConfigParseOptions.defaults().setSyntax(ConfigSyntax.JSON));
        Map<String, List<String>> columns = new LinkedHashMap<>();
        Set<String> asked = new TreeSet<>();
        for (String name : tables.root().keySet()) {
            Config table = tables.getConfig(ConfigUtil.quoteString(name));
            columns.put(name, table.getStringList("columns"));
            if (table.hasPath("asked")) {
                asked.add(name);
            }
        }
        Set<String> totals = new TreeSet<>();
        Matcher total = TOTAL.matcher(script);
        while (total.find()) {
            totals.add(total.group(1));
        }
        return new PageText(columns, asked, totals);
    }
}
