#ifndef KRN_AUDIT_VERIFY_H
#define KRN_AUDIT_VERIFY_H

/*
 * Is the audit chain what it was when it was written? Every row's hash is
 * computed anew and compared with the one that is stored, and with what the
 * next row says of it; the first row continues the anchor (what was purged),
 * the last row is the head. So an edited, deleted, moved, doubled or cut row
 * is found where it is. Who may rewrite rows and head alike makes a new chain:
 * against that helps a head that was kept elsewhere.
 *
 * Source: DESIGN section 5, audit; spec/facts.md 2.16.
 */

#include "access/audit.h"

enum krn_audit_wrong {
	KRN_AUDIT_HASH,      /* the row is not what was hashed */
	KRN_AUDIT_LINK,      /* it does not continue the row before it */
	KRN_AUDIT_MISSING,   /* rows before it are gone */
	KRN_AUDIT_TWICE,     /* there is a row of that number already */
	KRN_AUDIT_TRUNCATED, /* the last rows are gone, or too many */
	KRN_AUDIT_HEAD,      /* the last row is not the head */
	KRN_AUDIT_ANCHOR,    /* the anchor does not count what it replaces */
	KRN_AUDIT_KEPT,      /* it is not the head that was kept elsewhere */
	KRN_AUDIT__MAX,
};

/* "hash_mismatch", "chain_link_mismatch", … */
const char *krn_audit_wrong_name(enum krn_audit_wrong wrong);

struct krn_audit_finding {
	enum krn_audit_wrong wrong;
	int64_t seq;       /* of the row, or the first that is gone */
	struct krn_str id; /* .s NULL: no row is there */
};

/* The most that are listed; all are counted. */
#define KRN_AUDIT_FINDINGS_MAX 100

/* What is verified. */
struct krn_audit_scope {
	int64_t newest;          /* that many rows; 0: all */
	struct krn_str from, to; /* only rows of that time; .s NULL: open */
	int64_t kept_seq;        /* a head that was kept elsewhere; 0: none */
	struct krn_str kept_hash;
};

struct krn_audit_report {
	int64_t rows;  /* looked at */
	int64_t total; /* that the chain has by its head */
	int64_t head_seq, anchor_seq;
	struct krn_str head_hash;
	int64_t findings_nr; /* 0: intact */
	struct krn_audit_finding findings[KRN_AUDIT_FINDINGS_MAX];
};

/*
 * Verify the chain of the transaction's tenant, in a snapshot transaction.
 *
 * Ownership: *ret's texts live in `arena`.
 * Errors:    KRN_ERR_INVALID   a time that is none
 *            KRN_ERR_NOTFOUND  no such tenant
 */
KRN_MUSTCHECK enum krn_err
krn_audit_verify(struct krn_arena *arena, struct krn_db *db,
		 struct krn_str tenant_id, const struct krn_audit_scope *scope,
		 struct krn_audit_report *ret, struct krn_error *err);

#endif
