/* A PKCS#11 module that passes every call on to the one that COUNTED_MODULE names
   and writes the name of each login and signature as a line to COUNTED_CALLS. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long rv, ulong;

/* CK_FUNCTION_LIST of PKCS#11 2.40: a version, then 68 functions in fixed order. */
enum { LOGIN = 18, SIGN = 43, GENERATE_KEY_PAIR = 59, FUNCTIONS = 68 };
struct functions {
	unsigned char version[2];
	void *f[FUNCTIONS];
};

static struct functions *real, mine;

static void count(const char *name)
{
	int fd = open(getenv("COUNTED_CALLS"), O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd < 0 || write(fd, name, strlen(name)) < 0)
		abort();
	close(fd);
}

static rv login(ulong session, ulong user, unsigned char *pin, ulong n)
{
	count("C_Login\n");
	return ((rv (*)(ulong, ulong, unsigned char *, ulong))real->f[LOGIN])(session, user, pin, n);
}

static rv sign(ulong session, unsigned char *data, ulong n, unsigned char *sig, ulong *len)
{
	if (sig) /* without a buffer it only asks for the length */
		count("C_Sign\n");
	return ((rv (*)(ulong, unsigned char *, ulong, unsigned char *, ulong *))real->f[SIGN])(session, data, n, sig, len);
}

static rv generate(ulong session, void *mech, void *pub, ulong npub, void *priv, ulong npriv, ulong *hpub, ulong *hpriv)
{
	count("C_GenerateKeyPair\n");
	return ((rv (*)(ulong, void *, void *, ulong, void *, ulong, ulong *, ulong *))real->f[GENERATE_KEY_PAIR])(session, mech, pub, npub, priv, npriv, hpub, hpriv);
}

rv C_GetFunctionList(struct functions **list)
{
	void *lib = dlopen(getenv("COUNTED_MODULE"), RTLD_NOW);
	rv (*get)(struct functions **) = lib ? dlsym(lib, "C_GetFunctionList") : 0;
	rv r = get ? get(&real) : 5; /* CKR_GENERAL_ERROR */
	if (r)
		return r;
	mine = *real;
	mine.f[LOGIN] = login;
	mine.f[SIGN] = sign;
	mine.f[GENERATE_KEY_PAIR] = generate;
	*list = &mine;
	return 0;
}
