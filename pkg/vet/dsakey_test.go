package vet

import (
	"math/big"
)

// dsaNumbers are p, q and g that belong together, made for these tests, with a y of order q.
type dsaNumbers struct{ p, q, g, y *big.Int }

const (
	dsaP3072 = "83edefb82e08f8bde6e8cad593c8a17ea743ae2706519b3c6a61c8f681f5e5066cdca89665f214f49064cf94724add4db9b24b068f3871" +
		"eeb910f25147f7c7c8373c68f60422a1873979ad3a5e33856d15562f1fec23464e3a77214cac9b5e957a2e0ee5c109c78b8f8b6b1a37af" +
		"647ae1072e1c44e2bee10b164b3dd7da011b720bb7f3641475e8e59e868adfb8abadd370f1e8576afee5958c95ab9cfc09a3d51db40efa" +
		"3394f27f697fc1a32b4e2e04958a4118a66a1f9f3ee87e815d72e841e572cc2dadf11b911121e04650a2b9bfcd03099d64656d8425478b" +
		"1e9f1d665dfc1e1bbbe4a0f87a63af8addb469d2a777bf5235a6d49636ba4c078592216ed6695ef696e8d8a0095db2a6d415af7a771f6f" +
		"4f135da91abf1288da994b705ea733438891e640e6c19fbc1c79204c9ba287aa9d07847ff7590838493ccf52ee387ba0123b07c3a75f90" +
		"557a843ad9fdb0509caaca8643114f30a461b42f29448e1294a64d887bc4bffcf2dd183c89ac06f78d246421cde5a7e0fd22f3f9cf0f"
	dsaQ3072 = "91e5c66e3ba4159905a1ff278c19c5ab91b4a76e3761c8adc833b0506f3ec41b"
	dsaG3072 = "5a7dea5b5754c14ac31747581acca1c9a26bb26478b331ed02fe9d7df2941399aa50c165c140f277700293c02952574933a9fc7e0614f3" +
		"a4bbc207887236a78cd4e222da5968e346b85c4448349481071d1d446abeafb7970892b7a4a6424c26cbfeefdc3c93ec3eff87f8412d67" +
		"5fad6364d4700cd1df619b23ee3f3f9514cabc074e964579d39734bec9beafe5583f2e146e8abfb5ca9f5bbdfe7293b6cacaac8a799922" +
		"51ca33d0a9ed830685627bc3fff236bf923838f860ff2d4f69a8bcdade1ea6525c2caa72ccf5292bc896bb9d05d4c6b1674da5605ff009" +
		"bf58979484e51ff70cc397dd8f72dcc751ff08d275b9fc10bf17e2fb90f31bcd53fd9bb27661559aee77078f1627a9ab8a9754c9aebcbe" +
		"cb671fcfc0b86e78ba56d5eb96a0f50571dfdcf17f38fd58694dfee7cbabff1257ee9cbeeb59364cacba978f6865f88e9ab720dea66ca1" +
		"f3644e96d009ac1751467fe14edb025a8ba941917b3cf88c99949d84e2ee28c4e71d794f2d5a8d42f73ade63ad0c119d4ec3e72ef519"
	dsaP3000 = "93610305cd4ca1a1209571b612c1ae9dcb0bb4e82003ffb6b43896a29d200c9abd627dfdf55f679ef157c3dcc3432e13b7d31c4720ce57" +
		"cb5a239bb1a527ec403d083b6c22fc0beb7899ea67c8ede9667898226afcf377032c63548a1a794027cbddeca7dfc8e8bacc5a299e2b84" +
		"9f2c22a878e7912137e5e7c97885c6831a55e7e83be222fd2a12c14306b43871dc213244ccaabee1c58646b602c391323477a76625100e" +
		"adb2fc69ab057e88a8e07cf27a979449233072d3c63342e50861e7c7b9c68b1d8b328ee5c1ea7565d2d68f65c62710f09ac813840d8ea8" +
		"22b8ad2832603bec07f108bb00d6ac08453f80e289ffc1ddcbf506d182c1c5da2336d9bcbff1fd2c57c979bf9ba7fbf97ced6edc702fbb" +
		"3377209d4fb405071cb3041e4c518644d62828e3046ec26acc5a393a55821e008e23b6ad3e8c21266bd6a3e71eccccaab89928def75f77" +
		"87cdff2aeac35778b868d0902fea1a895f750b1fea25116eb7a4b6c327a770651e06ef91e140902f545fbf181b"
	dsaQ3000 = "270684b18a62c947280551e207e8bb0401e88da1f241514b0d245a8525f1257"
	dsaG3000 = "8c1b1c5b0e3e74440d25fe4a614bc67bb8274c18073176d4d0ca75ee70a1fc1faf3357facac6db37e58b0a98d59527b9012112141400d8" +
		"1ff44d766467d34dbfc721533e8c6da813c68611c8e9a7f134d51544cc873e66340429fcf388430e8b9c2bda1637f4778c7865eb2d783a" +
		"ee9063262049356ca52e07a543f45c152d40388f43c63989846201afd4c38718cfe4779b19eb6eb5b6b6a45fa2840ffddef5872b9512de" +
		"c3f28decfd46a3df9b33948ec477e5ca1f60051d63a0ac3ff75802508c4dcc9577965ff6e9680f66c743f6397041b8d1657b5fe1cb5456" +
		"e367d80eea310c45723f24c52af14a6bcd94a37f1a035ab2d1aa4cc14b6927987dd4da1a888778e86a1221f604ef45350d53eddfe48c80" +
		"ba77848ae68d08df70e85071cb99d5c46feec93e30b4d3a0bea104c6dfb7fca98ac82bfdfdece1a3e148d7ad1d0ab1951825b98cb0a6a5" +
		"813a3478152a29cbeb2fcc10bf148676e3a375f8d63419a6e7961643b9de208a49d1aac7a5dae0bc43162f0a80"
	dsaP2999 = "41136566b24d526ec93670df38e8c41cb2062cee1e1ae37d45f60ce6604b566a753e32a755c448ebf6d5fc1dc4f26ed5566a6b53c397d0" +
		"64bfb5fdcb5b405c9366daa17890c3a5083891610bb1543fc52f541321fa186d48a7a96e0ba61ca0e81e517470329278e3abb46508708e" +
		"165b00b814800ce387d0917065acd5ea3aaf9f1a65a22f9763420cb57628e0e135362c9dc082538d1a686f201b5ccda9a89a8317635fcf" +
		"20b699120575b3d2f87b08ada062089fd5877dc26cbe6390f76a5b19d7b1a02eae2851d360969cf11ca63ef40c8ff834973050ef7b5e54" +
		"baa8cf2772b99289a4cde4ba93e0c284b9f55e88ca63b0844fc0f98736c4d1572aa090dfb7713d502fe06604f7ec0fa89e2624cc9774df" +
		"2ff4151f89a227d026390507765a8ac1d3c82ee135d5296747cbc28b2df6ac5fc0c55428bdc43461c7742f7f8e7ebecfe012487672443f" +
		"5ed3644a77cbadcd45895529612b70af49be2fe11c45d5fcdd88e8b88a179b9a2ea7d7082154babbb6321d4639"
	dsaQ2999 = "2413a6b680e98eb2b891f8bfaf64249e97b043134514793e3dbbb3b00cfc185"
	dsaG2999 = "c71def83a3503bc2d3b99f8f712061b0e5d282b2233c7c0d2244ec0fe6c9dbb50324629468db60f997922759e2d80e97604f3d2eec01f8" +
		"11c26b7936e8d4803c5f90b3d60a49833a99950759b83968a9b442848bdc6beb01754cce36d8037f279903289b85a65cf4469ae1b359ac" +
		"736f4fee8f50ff74b4b218bb425d9b3cfe22b28884ed809785850c7507f303942e6dcbb3a4447f543fa3e5903f73f3d439284822d74abf" +
		"ef67c6bbb09901e7c5121593cc6b2397c212c921fc22ffae13265f118552d551934526e0e9233105b7fdcc0e8b454e1425fdb8412fa235" +
		"281a2f0646517c844141384131a1c62bb2c902ac3ef38dd7883b1cde6221853b612db174eadb941ce28117ff348d980f14ae563c03a8ce" +
		"236a286a3130cd35f00e4cfe307d3573ee0d1dc8888cb36b71a70ba43844867466de569c905533a264383e333bbd5679315410952374cb" +
		"50879b83e335723a5d30fcbe1276d43d6188d0129dee37fd51093851c57504ca9bb0c8e593d3593c3a723cead"
	dsaP249 = "87d294d39f6a60a1b3af3cd2bb0fbd72ded659dbfe6052b1f954865549d47763515f459f0dfa28fd7a46b95431280aaa19100f038ede99" +
		"dc9a9adfef5cfd11d6297f4ff304ad5dd1c2c61c96f724a267dd293efcadc4d1561a4e9982cd9f6d86bc0b7b6b1a1ba036d5d8cc646f0e" +
		"cfe4850434deebb50f5dcdcf0ee5082223808652cc5921da1f4eb115cd4872410bd580995f6a0cd37666c8b587168370b9277a9055c975" +
		"f948dbbb5653966e2e16226d7fef4295c49c8e9b77bfbe78f5c43ef1cc1a187bd3460fee19d427f4e3285754558e92a584af6a5158c410" +
		"0cf53442773850016b0534ef30f5c00105d5594703b54955c3f393e1b1f5da6a9c33de5114a9fb79cbf7de94d0a2ad400dd361f4371286" +
		"3d41771384bc12ffc05a552ebce33f63be16d94f9ca590a5a51da1ef34b2a0da1d88019c057d9af5f6481530243965c3b044a6642bb9a6" +
		"5444d3912f645347623a34d063217797ef3f2861b45c695974aa7c2e4556a0173e367318c1f74966e54b1d551f"
	dsaQ249 = "17f5f8678fe01ee4646d0e69cf0b832d2a7d94443717b2cb75c0eacf49c0c93"
	dsaG249 = "5d31402fac2ab7129c1044cb0775002bd3b7c2a5e7c05cd6e8b7d234be63eda3b85622ba61019acdd55613e596f5d465a7d5ae6cbadf1e" +
		"164c4e107f5fd59b016dbcaf7bb4977a9f9bb6ad9e6bcf5ef85479814775e49d44e53ed3c74caa50212acb3ec29d17b601533387269760" +
		"254f388506f87550847e76eaadbc5e9ae173eb86bc67a9debe1e00dca1e9aa1dd797dd65e9d6ae5543c93095e280622e5190191b2549ff" +
		"64592e05ec1bf0aa7096ef095f28c7f90ed4a004a57a3ff637f17f8b023168afda045d4a679541c525b8f9e81eb7452d86b105f520161e" +
		"0d2cbe872b5d0aae5a2ed67a8b8623633d0ca560f1bc171811759e365442685a4cfec313441f8182d923efd33a544fa97c2a688e456a64" +
		"4dc422c4421ce3071bda6e7c7a615f54b81c36602c8114190b7baf9b79f3a35f54349cf9f09243cbe6e56eeea32410ffab7405be21e41b" +
		"d2528d5c238708c662f4ad4a82f1e51b9230fb9d6c6af9b09160754a9d28dea5c8b7f2b6e88d69c34320f79456"
)

func hexNumber(s string) *big.Int {
	n, ok := new(big.Int).SetString(s, 16)
	if !ok {
		panic("a number of the test is not hex")
	}
	return n
}

// soundDSA is a key whose numbers belong together, or nil where none of these sizes is at hand.
func soundDSA(p, q uint) *dsaNumbers {
	var n *dsaNumbers
	switch {
	case p == 3072 && q == 256:
		n = &dsaNumbers{p: hexNumber(dsaP3072), q: hexNumber(dsaQ3072), g: hexNumber(dsaG3072)}
	case p == 3000 && q == 250:
		n = &dsaNumbers{p: hexNumber(dsaP3000), q: hexNumber(dsaQ3000), g: hexNumber(dsaG3000)}
	case p == 2999 && q == 250:
		n = &dsaNumbers{p: hexNumber(dsaP2999), q: hexNumber(dsaQ2999), g: hexNumber(dsaG2999)}
	case p == 3000 && q == 249:
		n = &dsaNumbers{p: hexNumber(dsaP249), q: hexNumber(dsaQ249), g: hexNumber(dsaG249)}
	default:
		return nil
	}
	n.y = new(big.Int).Exp(n.g, plainNumber(248), n.p)
	return n
}

func (n *dsaNumbers) spki() []byte {
	return seq(algID(oidDSA, seq(bigInteger(n.p), bigInteger(n.q), bigInteger(n.g))), bitString(bigInteger(n.y)))
}

// spoiltDSA is a CA's certificate over a sound key with one number changed.
func spoiltDSA(spoil func(n *dsaNumbers)) func(*spec) {
	return both(issued, func(s *spec) {
		n := soundDSA(3072, 256)
		spoil(n)
		s.spki = n.spki()
	})
}

// dsaVectors are keys of the right size whose numbers do not belong together (EFGS-112).
func dsaVectors() []vector {
	one := big.NewInt(1)
	plus := func(n *big.Int, by int64) *big.Int { return new(big.Int).Add(n, big.NewInt(by)) }
	composite := func(n *dsaNumbers) { // everything else holds for a q that is no prime
		n.q = new(big.Int).Mul(n.q, big.NewInt(2))
	}
	return []vector{
		{what: "g = 1, y = 1", edit: spoiltDSA(func(n *dsaNumbers) { n.g, n.y = one, one }), says: "g is not between"},
		{what: "y = 1", edit: spoiltDSA(func(n *dsaNumbers) { n.y = one }), says: "y is not between"},
		{what: "y = p-1", edit: spoiltDSA(func(n *dsaNumbers) { n.y = plus(n.p, -1) }), says: "y is not of order q"},
		{what: "y = 2", edit: spoiltDSA(func(n *dsaNumbers) { n.y = big.NewInt(2) }), says: "y is not of order q"},
		{what: "y above p", edit: spoiltDSA(func(n *dsaNumbers) { n.y = new(big.Int).Add(n.y, n.p) }), says: "y is not between"},
		{what: "g = p-1", edit: spoiltDSA(func(n *dsaNumbers) { n.g = plus(n.p, -1) }), says: "g is not of order q"},
		{what: "p even", edit: spoiltDSA(func(n *dsaNumbers) { n.p = plus(n.p, -1) }), says: "p is not odd"},
		{what: "q composite", edit: spoiltDSA(composite), says: "q is not a prime"},
		{what: "q does not divide p-1", edit: spoiltDSA(func(n *dsaNumbers) { n.q = nextPrime(n.q) }), says: "does not divide"},
		{what: "q above p", edit: spoiltDSA(func(n *dsaNumbers) { n.q = plus(n.p, 2) }), says: "q is not between"},
		{what: "p composite, at the intake", edit: spoiltDSA(compositeP), ask: func(r *Request) { r.Intake = true }, says: "p is not a prime"},
	}
}

// compositeP multiplies p by another prime of the form 2jq+1: all that is asked of g and y holds still.
func compositeP(n *dsaNumbers) {
	// The product is 1 modulo q, as both factors are.
	step := new(big.Int).Lsh(n.q, 1)
	factor := new(big.Int).Add(step, big.NewInt(1))
	for !factor.ProbablyPrime(10) {
		factor.Add(factor, step)
	}
	lift := func(value *big.Int) *big.Int { // to the number that is value modulo p and 1 modulo factor
		inverse := new(big.Int).ModInverse(n.p, factor)
		k := new(big.Int).Sub(big.NewInt(1), value)
		k.Mul(k, inverse).Mod(k, factor)
		return k.Mul(k, n.p).Add(k, value)
	}
	n.g, n.y = lift(n.g), lift(n.y)
	n.p = new(big.Int).Mul(n.p, factor)
}
