import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Base64;

/**
 * Decides about rows of the table "certificate" as the online gateway does before it trusts one.
 *
 * <p>Arguments: key store of type JKS, its password, alias of the EFGSTA, file of rows. A line of that
 * file is one row: thumbprint, signature column and raw_data column, each in base64, separated by tabs.
 * For each row one line is printed: ACCEPT, or REJECT and the reason.
 */
public final class GatewayRows {

  public static void main(String[] args) throws Exception {
    KeyStore store = KeyStore.getInstance("JKS");
    try (InputStream in = Files.newInputStream(Path.of(args[0]))) {
      store.load(in, args[1].toCharArray());
    }
    Certificate anchor = store.getCertificate(args[2]);
    if (!(anchor instanceof X509Certificate)) {
      throw new IllegalStateException("no certificate under alias " + args[2]);
    }
    for (String line : Files.readAllLines(Path.of(args[3]))) {
      String[] columns = line.split("\t", -1);
      System.out.println(decide((X509Certificate) anchor, text(columns[0]), text(columns[1]), text(columns[2])));
    }
  }

  private static String text(String base64) {
    return new String(Base64.getDecoder().decode(base64), StandardCharsets.UTF_8);
  }

  private static String decide(X509Certificate anchor, String thumbprint, String signature, String rawData) {
    try {
      if (signature.isEmpty() || rawData.isEmpty()) {
        return "REJECT signature or raw_data is empty";
      }
      byte[] stored = rawData.getBytes(StandardCharsets.UTF_8);
      Certificate first =
          CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(stored));
      String computed = thumbprint(first);
      if (!computed.equals(thumbprint)) {
        return "REJECT thumbprint is " + computed;
      }
      Signature verifier = Signature.getInstance(anchor.getSigAlgName());
      verifier.initVerify((Certificate) anchor);
      verifier.update(stored);
      return verifier.verify(Base64.getDecoder().decode(signature)) ? "ACCEPT" : "REJECT signature does not verify";
    } catch (Exception e) {
      return "REJECT " + e.getClass().getName() + " " + String.valueOf(e.getMessage()).replaceAll("\\s+", " ");
    }
  }

  /** A big integer forgets leading zeros; a single missing digit is put back, two are not. */
  private static String thumbprint(Certificate certificate) throws Exception {
    byte[] hash = MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded());
    String digits = new BigInteger(1, hash).toString(16);
    return digits.length() == 63 ? "0" + digits : digits;
  }
}
