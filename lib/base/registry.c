/*
 * The registry of metrics in shared memory.
 */

#include "base/base.h"

#include "base/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Changes with the layout: a file of another one is not touched. */
#define REGISTRY_MAGIC UINT64_C(0x6b61697265000002)
#define REGISTRY_SLOTS 4096 /* a power of two */
#define REGISTRY_PROCESSES 256
#define REGISTRY_LABEL_BYTES 96

enum { SLOT_FREE, SLOT_TAKEN, SLOT_READY };

struct registry_slot {
	_Atomic uint32_t state;
	uint32_t hash;
	uint16_t family;
	uint16_t len;
	char labels[REGISTRY_LABEL_BYTES]; /* values, each ends in NUL */
	_Atomic int64_t value;
	_Atomic int64_t buckets[KRN_REGISTRY_BUCKETS + 1];
};

struct registry_process {
	char what[24];
	_Atomic int32_t is_busy;
};

struct registry_map {
	_Atomic uint64_t magic;
	_Atomic int64_t dropped;
	struct registry_process processes[REGISTRY_PROCESSES];
	struct registry_slot slots[REGISTRY_SLOTS];
};

/* clang-format off */
const struct krn_registry_row krn_registry_rows[KRN_REGISTRY__MAX] = {
	[KRN_REGISTRY_HTTP_REQUESTS]    = {"kaireon_http_requests_total", "Requests by pool, route and status.", false, false, {"pool", "route", "status"}},
	[KRN_REGISTRY_HTTP_SECONDS]     = {"kaireon_http_request_duration_seconds", "Time from accepting a request to its written response.", true, false, {"pool", "method", "route", "status"}},
	[KRN_REGISTRY_DATABASE_SECONDS] = {"kaireon_database_seconds_total", "Time that requests waited for the database.", false, true, {"pool"}},
	[KRN_REGISTRY_JOBS]             = {"kaireon_jobs_total", "Attempts of jobs by kind and what came of them.", false, false, {"kind", "outcome"}},
	[KRN_REGISTRY_JOB_SECONDS]      = {"kaireon_job_duration_seconds", "Time of an attempt of a job.", true, false, {"kind"}},
	[KRN_REGISTRY_EGRESS_REQUESTS]  = {"kaireon_egress_requests_total", "Calls to other servers by what came of them.", false, false, {"pool", "outcome"}},
	[KRN_REGISTRY_EGRESS_SECONDS]   = {"kaireon_egress_duration_seconds", "Time of a call to another server.", true, false, {"pool"}},
	[KRN_REGISTRY_OFFERS_EVALUATED] = {"kaireon_offers_evaluated_total", "Pairs of offer and channel that decisions of runs looked at.", false, false, {NULL}},
	[KRN_REGISTRY_DECISIONS]        = {"kaireon_decision_delivery_total", "Decisions that runs have delivered in their files.", false, false, {NULL}},
};
/* clang-format on */

const int64_t krn_registry_bounds_us[KRN_REGISTRY_BUCKETS] = {
    1000,   2500,   5000,    10000,   25000,   50000,   100000,
    250000, 500000, 1000000, 2500000, 5000000, 10000000};

static struct registry_map *registry;
static int registry_fd = -1;  /* open for as long as the process lives */
static int registry_own = -1; /* our row of processes */
static char registry_what[sizeof(((struct registry_process *)0)->what)];

/* A byte of the file stands for a row of processes. */
static struct flock
registry_lock(int row, short type)
{
	return (struct flock){
	    .l_type = type, .l_whence = SEEK_SET, .l_start = row, .l_len = 1};
}

static void
registry_take_row(const char *what)
{
	for (int i = 0; i < REGISTRY_PROCESSES; i++) {
		struct flock lock = registry_lock(i, F_WRLCK);

		if (registry_fd >= 0 && fcntl(registry_fd, F_SETLK, &lock))
			continue;
		registry_own = i;
		atomic_store(&registry->processes[i].is_busy, 0);
		snprintf(registry->processes[i].what,
			 sizeof(registry->processes[i].what), "%s", what);
		return;
	}
}

static void *
registry_map_file(int fd)
{
	void *map =
	    mmap(NULL, sizeof(*registry), PROT_READ | PROT_WRITE,
		 fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED, fd, 0);

	return map == MAP_FAILED ? NULL : map;
}

/* Whoever comes first makes the file; its size and first word are its form. */
static enum krn_err
registry_share(struct krn_str path, struct krn_error *err)
{
	char name[4096];
	struct stat status;
	uint64_t none = 0;

	snprintf(name, sizeof(name), "%.*s", KRN_STR_ARG(path));
	const int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			    S_IRUSR | S_IWUSR);

	if (fd < 0)
		return krn_fail(err, KRN_ERR_INTERNAL,
				"could not open \"%s\": %s", name,
				strerror(errno));
	if (flock(fd, LOCK_EX) || fstat(fd, &status) ||
	    (status.st_size == 0 && ftruncate(fd, (off_t)sizeof(*registry))) ||
	    (status.st_size != 0 &&
	     status.st_size != (off_t)sizeof(*registry)) ||
	    !(registry = registry_map_file(fd))) {
		close(fd);
		return krn_fail(err, KRN_ERR_INTERNAL,
				"\"%s\" is not a registry of this version",
				name);
	}
	atomic_compare_exchange_strong(&registry->magic, &none, REGISTRY_MAGIC);
	flock(fd, LOCK_UN);
	if (atomic_load(&registry->magic) != REGISTRY_MAGIC) {
		munmap(registry, sizeof(*registry));
		registry = NULL;
		close(fd);
		return krn_fail(err, KRN_ERR_INTERNAL,
				"\"%s\" is not a registry of this version",
				name);
	}
	registry_fd = fd;
	return KRN_OK;
}

enum krn_err
krn_registry_open(struct krn_str path, const char *what, struct krn_error *err)
{
	enum krn_err e = KRN_OK;

	snprintf(registry_what, sizeof(registry_what), "%s", what);
	if (path.len)
		e = registry_share(path, err);
	if (!registry)
		registry = registry_map_file(-1);
	if (registry)
		registry_take_row(what);
	return e;
}

const char *
krn_registry_what(void)
{
	return registry_what;
}

/* Series */

/* The label values behind each other; 0: too long. */
static uint16_t
registry_key(enum krn_registry_family family, const char *const *labels,
	     char ret_key[REGISTRY_LABEL_BYTES], uint32_t *ret_hash)
{
	const struct krn_registry_row *row = &krn_registry_rows[family];
	uint32_t hash = 2166136261u ^ (uint32_t)family; /* FNV-1a */
	size_t len = 0;

	for (size_t i = 0; i < KRN_REGISTRY_LABELS_MAX && row->labels[i]; i++)
		for (const char *at = labels[i];; at++) {
			if (len == REGISTRY_LABEL_BYTES)
				return 0;
			ret_key[len++] = *at;
			hash = (hash ^ (unsigned char)*at) * 16777619u;
			if (!*at)
				break;
		}
	if (len == 0)
		ret_key[len++] = '\0';
	*ret_hash = hash;
	return (uint16_t)len;
}

/* Is it the series? One that is being made is waited for, a little. */
static bool
registry_is(struct registry_slot *slot, enum krn_registry_family family,
	    uint32_t hash, const char *key, uint16_t len)
{
	for (int i = 0; i < 10000; i++)
		if (atomic_load_explicit(&slot->state, memory_order_acquire) ==
		    SLOT_READY)
			return slot->hash == hash && slot->family == family &&
			       slot->len == len &&
			       memcmp(slot->labels, key, len) == 0;
	return false; /* who made it died */
}

static struct registry_slot *
registry_find(enum krn_registry_family family, const char *const *labels)
{
	char key[REGISTRY_LABEL_BYTES];
	uint32_t hash = 0;
	const uint16_t len =
	    registry ? registry_key(family, labels, key, &hash) : 0;

	if (len == 0)
		return NULL;
	for (uint32_t i = 0; i < REGISTRY_SLOTS; i++) {
		struct registry_slot *slot =
		    &registry->slots[(hash + i) % REGISTRY_SLOTS];
		uint32_t free_slot = SLOT_FREE;

		if (atomic_load_explicit(&slot->state, memory_order_acquire) ==
			SLOT_FREE &&
		    atomic_compare_exchange_strong(&slot->state, &free_slot,
						   SLOT_TAKEN)) {
			slot->hash = hash;
			slot->family = (uint16_t)family;
			slot->len = len;
			memcpy(slot->labels, key, len);
			atomic_store_explicit(&slot->state, SLOT_READY,
					      memory_order_release);
			return slot;
		}
		if (registry_is(slot, family, hash, key, len))
			return slot;
	}
	atomic_fetch_add(&registry->dropped, 1);
	return NULL;
}

void
krn_registry_add(enum krn_registry_family family, const char *const *labels,
		 int64_t n)
{
	struct registry_slot *slot = registry_find(family, labels);

	if (slot)
		atomic_fetch_add_explicit(&slot->value, n,
					  memory_order_relaxed);
}

void
krn_registry_observe(enum krn_registry_family family, const char *const *labels,
		     int64_t us)
{
	struct registry_slot *slot = registry_find(family, labels);
	size_t bucket = 0;

	if (!slot)
		return;
	while (bucket < KRN_REGISTRY_BUCKETS &&
	       us > krn_registry_bounds_us[bucket])
		bucket++;
	atomic_fetch_add_explicit(&slot->buckets[bucket], 1,
				  memory_order_relaxed);
	atomic_fetch_add_explicit(&slot->value, us, memory_order_relaxed);
}

void
krn_registry_busy(bool is_busy)
{
	if (registry && registry_own >= 0)
		atomic_store_explicit(
		    &registry->processes[registry_own].is_busy, is_busy,
		    memory_order_relaxed);
}

/* Read */

void
krn_registry_each(void (*fn)(void *data,
			     const struct krn_registry_series *series),
		  void *data)
{
	for (size_t i = 0; registry && i < REGISTRY_SLOTS; i++) {
		struct registry_slot *slot = &registry->slots[i];
		struct krn_registry_series series = {.family = 0};
		const char *label = slot->labels;

		if (atomic_load_explicit(&slot->state, memory_order_acquire) !=
			SLOT_READY ||
		    slot->family >= KRN_REGISTRY__MAX)
			continue;
		series.family = (enum krn_registry_family)slot->family;
		for (size_t k = 0; k < KRN_REGISTRY_LABELS_MAX &&
				   krn_registry_rows[series.family].labels[k];
		     k++) {
			series.labels[k] = label;
			label += strnlen(label, REGISTRY_LABEL_BYTES - 1) + 1;
		}
		series.value = atomic_load(&slot->value);
		for (size_t k = 0; k <= KRN_REGISTRY_BUCKETS; k++)
			series.buckets[k] = atomic_load(&slot->buckets[k]);
		fn(data, &series);
	}
}

/* A row is held by the lock of its byte; our own is not in our way. */
static bool
registry_is_alive(int row)
{
	struct flock lock = registry_lock(row, F_WRLCK);

	if (row == registry_own)
		return true;
	return registry_fd >= 0 && fcntl(registry_fd, F_GETLK, &lock) == 0 &&
	       lock.l_type != F_UNLCK;
}

void
krn_registry_processes(void (*fn)(void *data, const char *what, int64_t busy,
				  int64_t idle),
		       void *data)
{
	bool is_told[REGISTRY_PROCESSES] = {false};

	for (int i = 0; registry && i < REGISTRY_PROCESSES; i++) {
		const char *what = registry->processes[i].what;
		int64_t count[2] = {0, 0};

		if (is_told[i] || !what[0] || !registry_is_alive(i))
			continue;
		for (int k = i; k < REGISTRY_PROCESSES; k++) {
			if (strcmp(registry->processes[k].what, what) != 0 ||
			    !registry_is_alive(k))
				continue;
			is_told[k] = true;
			count[atomic_load(&registry->processes[k].is_busy) !=
			      0]++;
		}
		fn(data, what, count[1], count[0]);
	}
}

int64_t
krn_registry_dropped(void)
{
	return registry ? atomic_load(&registry->dropped) : 0;
}
