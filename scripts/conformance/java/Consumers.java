import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.AlgorithmParameters;
import java.security.Signature;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.security.spec.PSSParameterSpec;
import java.util.Arrays;
import java.util.Collection;
import java.util.Date;
import java.util.List;
import java.util.Set;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.SignerInformationVerifier;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/**
 * Verifies as relying parties do in Java.
 *
 * <p>Argument: a file of questions. A line of it is one: a word for how to verify, the EFGSTA's
 * certificate, and where there are any the signed file and the signature, separated by tabs. For each
 * one line is printed: OK, or FAIL and the reason.
 *
 * <ul>
 *   <li>certificate: the certificate's signature with its own key
 *   <li>path: the certificate as the trust anchor of a PKIX path
 *   <li>name: the signature by the certificate's algorithm name alone, as the online gateway does
 *   <li>parameters: the same with the parameters of the certificate's algorithm set
 *   <li>sha256: as a national client does that puts "SHA256with" before the key's algorithm
 *   <li>cms: a detached message with the providers of the JDK, cms-bc with BouncyCastle's own
 * </ul>
 */
public final class Consumers {

  public static void main(String[] args) throws Exception {
    for (String line : Files.readAllLines(Path.of(args[0]))) {
      String answer;
      try {
        answer = ask(line.split("\t")) ? "OK" : "FAIL does not verify";
      } catch (Exception e) {
        Throwable cause = e;
        while (cause.getCause() != null) {
          cause = cause.getCause();
        }
        answer = "FAIL " + cause.getClass().getName() + " " + String.valueOf(cause.getMessage()).replaceAll("\\s+", " ");
      }
      System.out.println(answer);
    }
  }

  private static boolean ask(String[] words) throws Exception {
    CertificateFactory factory = CertificateFactory.getInstance("X.509");
    X509Certificate anchor =
        (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(Files.readAllBytes(Path.of(words[1]))));
    switch (words[0]) {
      case "certificate":
        anchor.verify(anchor.getPublicKey());
        return true;
      case "path":
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(anchor, null)));
        parameters.setRevocationEnabled(false);
        parameters.setDate(new Date());
        CertPathValidator.getInstance("PKIX").validate(factory.generateCertPath(List.of(anchor)), parameters);
        return true;
      default:
    }
    byte[] signed = Files.readAllBytes(Path.of(words[2]));
    byte[] signature = Files.readAllBytes(Path.of(words[3]));
    switch (words[0]) {
      case "name":
        return raw(Signature.getInstance(anchor.getSigAlgName()), anchor, signed, signature);
      case "parameters":
        Signature verifier = Signature.getInstance(anchor.getSigAlgName());
        if (anchor.getSigAlgParams() != null) {
          AlgorithmParameters encoded = AlgorithmParameters.getInstance(anchor.getSigAlgName());
          encoded.init(anchor.getSigAlgParams());
          verifier.setParameter(encoded.getParameterSpec(PSSParameterSpec.class));
        }
        return raw(verifier, anchor, signed, signature);
      case "sha256":
        return raw(Signature.getInstance("SHA256with" + anchor.getPublicKey().getAlgorithm()), anchor, signed, signature);
      case "cms":
        return cms(new JcaSimpleSignerInfoVerifierBuilder().build(anchor), anchor, signed, signature);
      case "cms-bc":
        return cms(
            new JcaSimpleSignerInfoVerifierBuilder().setProvider(new BouncyCastleProvider()).build(anchor), anchor, signed, signature);
      default:
        throw new IllegalArgumentException(words[0]);
    }
  }

  private static boolean raw(Signature verifier, X509Certificate anchor, byte[] signed, byte[] signature) throws Exception {
    verifier.initVerify(anchor);
    verifier.update(signed);
    return verifier.verify(signature);
  }

  private static boolean cms(SignerInformationVerifier verifier, X509Certificate anchor, byte[] content, byte[] message)
      throws Exception {
    CMSSignedData data = new CMSSignedData(new CMSProcessableByteArray(content), message);
    Collection<SignerInformation> signers = data.getSignerInfos().getSigners();
    if (signers.size() != 1) {
      throw new IllegalStateException(signers.size() + " signers");
    }
    SignerInformation signer = signers.iterator().next();
    Collection<X509CertificateHolder> embedded = data.getCertificates().getMatches(signer.getSID());
    if (embedded.size() != 1 || !Arrays.equals(embedded.iterator().next().getEncoded(), anchor.getEncoded())) {
      throw new IllegalStateException("the embedded certificate is not the EFGSTA's");
    }
    return signer.verify(verifier);
  }
}
