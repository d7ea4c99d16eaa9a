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

/** What the script of the page says that it shows. Immutable. */
public record PageText(Map<String, List<String>> columns, Set<String> asked) {
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
        return new PageText(columns, asked);
    }
}
