//go:build cgo && unix

package hsm

/*
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
enum { FATAL = sizeof fatal / sizeof *fatal };

static struct sigaction before[FATAL];
static const char *said;
static int code, guarding;
static volatile sig_atomic_t inside;
static pthread_t thread;

// The program's own code, which the linker marks: all that is Go is in it.
#ifdef __linux__
extern char __executable_start, etext;

static int ours(void *context)
{
	const ucontext_t *u = context;
#if defined __x86_64__
	const char *at = (const char *)u->uc_mcontext.gregs[REG_RIP];
#elif defined __i386__
	const char *at = (const char *)u->uc_mcontext.gregs[REG_EIP];
#elif defined __aarch64__
	const char *at = (const char *)u->uc_mcontext.pc;
#else
	const char *at = &__executable_start;
	(void)u;
#endif
	return at >= &__executable_start && at < &etext;
}
#else
static int ours(void *context) { (void)context; return 1; }
#endif

static void end(void)
{
	if (write(2, said, strlen(said)) < 0) { // there is nobody left to tell
	}
	_exit(code);
}

// A signal that a module raised ends the process in order; any other is the Go runtime's.
// A module may have threads of its own: it is not Go that crashes in other code than the
// program's, unless the signal was sent from outside.
static void crashed(int sig, siginfo_t *info, void *context)
{
	if (inside && pthread_equal(pthread_self(), thread))
		end();
	int sent = info->si_code <= 0 && info->si_pid != getpid();
	if (!sent && !ours(context))
		end();
	for (int i = 0; i < FATAL; i++)
		if (fatal[i] == sig)
			before[i].sa_sigaction(sig, info, context);
}

// It was a module that called exit, in a call or beside one. Where Go ends a program by
// the same function, as it does outside of Linux, only the thread in the call counts.
static void left(void)
{
#ifndef __linux__
	if (!pthread_equal(pthread_self(), thread))
		return;
#endif
	if (inside)
		end();
}

static void guard_start(const char *message, int exit_code)
{
	said = message;
	code = exit_code;
	if (guarding++)
		return;
	atexit(left);
	struct sigaction act;
	memset(&act, 0, sizeof act);
	act.sa_sigaction = crashed;
	act.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
	sigfillset(&act.sa_mask);
	for (int i = 0; i < FATAL; i++)
		sigaction(fatal[i], &act, &before[i]);
}

static void guard_enter(void) { thread = pthread_self(); inside = 1; }
static void guard_leave(void) { inside = 0; }
static int guard_inside(void) { return inside; }
*/
import "C"

import "runtime"

// GuardCrashes makes a module that crashes, in a call or in a thread of its own, or that
// calls exit, end the process with this text on the standard error and this exit code,
// instead of the Go runtime's trace and exit code 2, a bare signal, or exit code 0.
// It is for a program's main package: nothing can be done after such a crash, and what
// is unpublished stays so. Call it once, before the first module is loaded.
func GuardCrashes(message string, exitCode int) {
	C.guard_start(C.CString(message), C.int(exitCode))
}

// inModule marks this thread as inside of the module until leave is called.
func inModule() (leave func()) {
	runtime.LockOSThread()
	C.guard_enter()
	return func() {
		C.guard_leave()
		runtime.UnlockOSThread()
	}
}

// Busy reports whether a call of a module is under way, which nobody can cut short.
func Busy() bool { return C.guard_inside() != 0 }
