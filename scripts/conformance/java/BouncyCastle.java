import java.io.FileInputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.List;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cert.jcajce.JcaX509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.SignerInfoGenerator;
import org.bouncycastle.cms.SignerInfoGeneratorBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/**
 * Signs as the gateway's reference tools and member states' backends do.
 *
 * <p>Arguments: private key (PKCS#8, DER), certificate, content, then for each message its file, the
 * signature algorithm ("SHA256withRSA") and words for how to make it, separated by commas: plain,
 * attached, keyid, noattr, nocerts.
 */
public final class BouncyCastle {

  public static void main(String[] args) throws Exception {
    byte[] pkcs8 = Files.readAllBytes(Path.of(args[0]));
    X509Certificate certificate;
    try (InputStream in = new FileInputStream(args[1])) {
      certificate = (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
    }
    PrivateKey key =
        KeyFactory.getInstance(certificate.getPublicKey().getAlgorithm()).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
    byte[] content = Files.readAllBytes(Path.of(args[2]));
    for (int i = 3; i + 2 < args.length; i += 3) {
      Files.write(Path.of(args[i]), sign(key, certificate, content, args[i + 1], List.of(args[i + 2].split(","))));
    }
  }

  private static byte[] sign(PrivateKey key, X509Certificate certificate, byte[] content, String algorithm, List<String> how)
      throws Exception {
    // RSASSA-PSS needs the provider named: by itself, this library finds no such signature in the JDK.
    ContentSigner signer = new JcaContentSignerBuilder(algorithm).setProvider(new BouncyCastleProvider()).build(key);
    SignerInfoGeneratorBuilder builder = new SignerInfoGeneratorBuilder(new JcaDigestCalculatorProviderBuilder().build());
    builder.setDirectSignature(how.contains("noattr"));
    SignerInfoGenerator info;
    if (how.contains("keyid")) {
      byte[] id =
          ASN1OctetString.getInstance(JcaX509ExtensionUtils.parseExtensionValue(certificate.getExtensionValue("2.5.29.14")))
              .getOctets();
      info = builder.build(signer, id);
    } else {
      info = builder.build(signer, new JcaX509CertificateHolder(certificate));
    }
    CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
    generator.addSignerInfoGenerator(info);
    if (!how.contains("nocerts")) {
      generator.addCertificates(new JcaCertStore(List.of(certificate)));
    }
    return generator.generate(new CMSProcessableByteArray(content), how.contains("attached")).getEncoded();
  }
}
