/* A PKCS#11 module that passes every call on to the one that COUNTED_MODULE names
   and writes the name of each login and signature as a line to COUNTED_CALLS. What
   a software token does not do by itself, these variables make it do:

   CRASH_AT             crash at this call: "C_Finalize", or "C_Sign" at the third; or when it is
                        loaded: "constructor"
   CRASH_HOW            not there, but in a "thread" of its own; or do not crash, but call "exit",
                        or "hang"
   MOVE_AWAY            rename this directory to "away" beside it at the third C_Sign
   FAIL_AT              "C_Sign 3 0x32": the third C_Sign fails with that CK_RV
   TOKEN_FLAGS          what every token says of itself besides: words of flags[]
   PIN_PAD              the PIN that is typed at the token's own pad
   ALWAYS_AUTHENTICATE  new keys want a login for each signature */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long rv, ulong;

/* CK_FUNCTION_LIST of PKCS#11 2.40: a version, then 68 functions in fixed order. */
enum { FINALIZE = 1, GET_TOKEN_INFO = 6, LOGIN = 18, SIGN = 43, GENERATE_KEY_PAIR = 59, FUNCTIONS = 68 };
struct functions {
	unsigned char version[2];
	void *f[FUNCTIONS];
};

struct token_info {
	unsigned char names[96]; /* label, manufacturer, model, serial number */
	ulong flags;
};

struct attribute {
	ulong type;
	void *value;
	ulong len;
};

enum { CKR_GENERAL_ERROR = 0x5, CKR_ARGUMENTS_BAD = 0x7, CKA_ALWAYS_AUTHENTICATE = 0x202 };

static const struct {
	const char *word;
	ulong flag;
} flags[] = {
	{ "PIN_PAD", 0x100 }, { "COUNT_LOW", 0x10000 }, { "FINAL_TRY", 0x20000 }, { "LOCKED", 0x40000 },
};

static struct functions *real, mine;

static const char *env(const char *name)
{
	const char *value = getenv(name);
	return value ? value : "";
}

static void count(const char *name)
{
	int fd = open(getenv("COUNTED_CALLS"), O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd < 0 || dprintf(fd, "%s\n", name) < 0)
		abort();
	close(fd);
}

static void *crash(void *nothing)
{
	*(volatile int *)nothing = 0;
	return 0;
}

static void crash_at(const char *name)
{
	pthread_t thread;
	if (strcmp(env("CRASH_AT"), name))
		return;
	if (!strcmp(env("CRASH_HOW"), "exit"))
		exit(0);
	if (!strcmp(env("CRASH_HOW"), "thread") && !pthread_create(&thread, 0, crash, 0))
		pthread_join(thread, 0);
	while (!strcmp(env("CRASH_HOW"), "hang"))
		pause();
	crash(0);
}

__attribute__((constructor)) static void loaded(void) { crash_at("constructor"); }

static void move_away(const char *dir)
{
	char away[4096];
	if (!*dir)
		return;
	snprintf(away, sizeof away, "%s/../away", dir);
	if (rename(dir, away))
		abort();
}

/* fail_at is what the n-th call of name is to fail with, or 0. */
static rv fail_at(const char *name, int n)
{
	char at[32];
	int call;
	long code;
	if (sscanf(env("FAIL_AT"), "%31s %d %li", at, &call, &code) != 3)
		return 0;
	return call == n && !strcmp(at, name) ? (rv)code : 0;
}

static rv finalize(void *reserved)
{
	crash_at("C_Finalize");
	return ((rv (*)(void *))real->f[FINALIZE])(reserved);
}

static rv get_token_info(ulong slot, struct token_info *info)
{
	rv r = ((rv (*)(ulong, struct token_info *))real->f[GET_TOKEN_INFO])(slot, info);
	for (size_t i = 0; !r && i < sizeof flags / sizeof *flags; i++)
		if (strstr(env("TOKEN_FLAGS"), flags[i].word))
			info->flags |= flags[i].flag;
	return r;
}

static rv login(ulong session, ulong user, unsigned char *pin, ulong n)
{
	static int logins;
	rv r = fail_at("C_Login", ++logins);
	count("C_Login");
	if (r)
		return r;
	if (strstr(env("TOKEN_FLAGS"), "PIN_PAD")) {
		if (pin)
			return CKR_ARGUMENTS_BAD; /* it must not be given what is typed at the pad */
		pin = (unsigned char *)env("PIN_PAD");
		n = strlen((char *)pin);
	}
	return ((rv (*)(ulong, ulong, unsigned char *, ulong))real->f[LOGIN])(session, user, pin, n);
}

static rv sign(ulong session, unsigned char *data, ulong n, unsigned char *sig, ulong *len)
{
	static int signatures;
	if (sig) { /* without a buffer it only asks for the length */
		rv r = fail_at("C_Sign", ++signatures);
		if (signatures == 3) {
			crash_at("C_Sign");
			move_away(env("MOVE_AWAY"));
		}
		count("C_Sign");
		if (r)
			return r;
	}
	return ((rv (*)(ulong, unsigned char *, ulong, unsigned char *, ulong *))real->f[SIGN])(session, data, n, sig, len);
}

static rv generate(ulong session, void *mech, void *pub, ulong npub, struct attribute *priv, ulong npriv, ulong *hpub, ulong *hpriv)
{
	static unsigned char yes = 1;
	struct attribute more[64];
	count("C_GenerateKeyPair");
	if (*env("ALWAYS_AUTHENTICATE") && npriv < 64) {
		memcpy(more, priv, npriv * sizeof *more);
		more[npriv++] = (struct attribute){ CKA_ALWAYS_AUTHENTICATE, &yes, 1 };
		priv = more;
	}
	return ((rv (*)(ulong, void *, void *, ulong, struct attribute *, ulong, ulong *, ulong *))real->f[GENERATE_KEY_PAIR])(session, mech, pub, npub, priv, npriv, hpub, hpriv);
}

rv C_GetFunctionList(struct functions **list)
{
	void *lib = dlopen(getenv("COUNTED_MODULE"), RTLD_NOW);
	rv (*get)(struct functions **) = lib ? dlsym(lib, "C_GetFunctionList") : 0;
	rv r = get ? get(&real) : CKR_GENERAL_ERROR;
	if (r)
		return r;
	mine = *real;
	mine.f[FINALIZE] = finalize;
	mine.f[GET_TOKEN_INFO] = get_token_info;
	mine.f[LOGIN] = login;
	mine.f[SIGN] = sign;
	mine.f[GENERATE_KEY_PAIR] = generate;
	*list = &mine;
	return 0;
}
