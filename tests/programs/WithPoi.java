// Fill workbooks with Apache POI: java WithPoi.java BLANK CELLS SAVED ...
import java.io.FileOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.Date;
import java.util.regex.Pattern;
import org.apache.poi.ss.usermodel.Cell;
import org.apache.poi.ss.usermodel.CellType;
import org.apache.poi.ss.usermodel.Row;
import org.apache.poi.ss.util.CellReference;
import org.apache.poi.xssf.usermodel.XSSFWorkbook;

public class WithPoi {
    private static final String TEXT = "\"((?:[^\"\\\\]|\\\\.)*+)\"";
    // The list has one cell a line, its parts in this order, and every value as text.
    private static final Pattern CELL = Pattern.compile(
        "\\{\"sheet\": " + TEXT + ", \"cell\": " + TEXT + ", \"type\": " + TEXT + ", \"value\": " + TEXT + "\\}");

    public static void main(String[] files) throws Exception {
        for (int at = 0; at < files.length; at += 3) {
            try (XSSFWorkbook workbook = new XSSFWorkbook(Files.newInputStream(Path.of(files[at])))) {
                var cells = CELL.matcher(Files.readString(Path.of(files[at + 1])));
                while (cells.find()) {
                    var place = new CellReference(cells.group(2));
                    var sheet = workbook.getSheet(cells.group(1).translateEscapes());
                    Row row = sheet.getRow(place.getRow());
                    row = row != null ? row : sheet.createRow(place.getRow());
                    Cell cell = row.getCell(place.getCol(), Row.MissingCellPolicy.CREATE_NULL_AS_BLANK);
                    write(cell, cells.group(3), cells.group(4).translateEscapes());
                }
                try (var saved = new FileOutputStream(files[at + 2])) {
                    workbook.write(saved);
                }
            }
        }
    }

    private static void write(Cell cell, String type, String value) {
        if (cell.getCellType() == CellType.FORMULA) {
            cell.removeFormula(); // or the value would only be taken for its result
        }
        switch (type) {
            case "number" -> cell.setCellValue(Double.parseDouble(value));
            case "date" -> cell.setCellValue(
                Date.from(LocalDate.parse(value).atStartOfDay(ZoneId.systemDefault()).toInstant()));
            default -> cell.setCellValue(value);
        }
    }
}
