// Asks a metadata endpoint once, as the JVM's own HTTP client does: over a dual-stack socket, whatever the address is.
// Arguments: the URL, then pairs of header name and value. Prints the status and the body.
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;

public class Ask {
    public static void main(String[] arguments) throws Exception {
        HttpURLConnection call = (HttpURLConnection) URI.create(arguments[0]).toURL().openConnection();
        for (int at = 1; at + 1 < arguments.length; at += 2) {
            call.setRequestProperty(arguments[at], arguments[at + 1]);
        }
        int status = call.getResponseCode();
        try (InputStream body = status < 400 ? call.getInputStream() : call.getErrorStream()) {
            System.out.println(status + " " + (body == null ? "" : new String(body.readAllBytes())));
        }
    }
}
