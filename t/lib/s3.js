// An S3 for tests and trials: s3rver keeps the objects; what it lacks is added
// in front of it. Signatures and hashes of bodies are verified with the signer
// of AWS's own SDK, uploads can be listed and aborted, parts have their least
// size, and trouble can be ordered.
//
//	node s3.js FOLDER KEY.pem CERT.pem BUCKET...     prints its port
//
// KRN_NPM is the folder of the packages, KRN_S3_PORT the port (any free one),
// KRN_S3_SECRET the secret of the only key.
//
// FOLDER/rules.json is read at each request: a list of {method, url (a regular
// expression), times, skip, status, code, delay (ms), hang, cut (bytes of the
// answer), after}; the first that matches is applied, up to `times` times, after `skip`
// requests that it lets pass. `after`: the request takes effect before its
// answer is spoilt. FOLDER/requests.log has a line of JSON for each request.
'use strict';

const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const https = require('https');
const path = require('path');
const load = require('module').createRequire(process.env.KRN_NPM + '/');
const S3rver = load('s3rver');
const { SignatureV4 } = load('@smithy/signature-v4');
const { Sha256 } = load('@aws-crypto/sha256-js');

const ID = 'AKIDEXAMPLE', SECRET = process.env.KRN_S3_SECRET || 'planted/SECRET+key', PART_MIN = 5 * 1024 * 1024;
const [, , folder, keyFile, certFile, ...buckets] = process.argv;
const data = path.join(folder, 'objects');

class Refusal extends Error {
	constructor(status, code) { super(code); this.status = status; this.code = code; }
}

function log(line) { fs.appendFileSync(path.join(folder, 'requests.log'), JSON.stringify(line) + '\n'); }

// Trouble

const used = new Map();

function rule_for(request) {
	let rules = [];
	try { rules = JSON.parse(fs.readFileSync(path.join(folder, 'rules.json'))); } catch { return undefined; }
	for (const rule of rules) {
		if (rule.method && rule.method !== request.method) continue;
		if (rule.url && !new RegExp(rule.url).test(request.url)) continue;
		const key = JSON.stringify(rule), seen = used.get(key) || 0;
		used.set(key, seen + 1);
		if (seen < (rule.skip || 0)) continue;
		if (rule.times && seen - (rule.skip || 0) >= rule.times) continue;
		return rule;
	}
	return undefined;
}

// Signatures

function scope_of(credential) {
	const [id, day, region, service, end] = credential.split('/');
	if (id !== ID) throw new Refusal(403, 'InvalidAccessKeyId');
	if (service !== 's3' || end !== 'aws4_request') throw new Refusal(400, 'AuthorizationHeaderMalformed');
	return { day, region };
}

function signer(region) {
	return new SignatureV4({ service: 's3', region, sha256: Sha256, uriEscapePath: false, applyChecksum: true,
		credentials: { accessKeyId: ID, secretAccessKey: SECRET, sessionToken: process.env.KRN_S3_TOKEN } });
}

function date_of(text) {
	const m = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text || '');
	if (!m) throw new Refusal(403, 'AccessDenied');
	return new Date(Date.UTC(m[1], m[2] - 1, m[3], m[4], m[5], m[6]));
}

function parts_of(request) {
	const url = new URL(request.url, 'https://host');
	const query = {};
	for (const [name, value] of url.searchParams) query[name] = value;
	return { method: request.method, protocol: 'https:', hostname: request.headers.host, path: url.pathname, query };
}

async function verify_header(request, body) {
	const m = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/
		.exec(request.headers.authorization);
	if (!m) throw new Refusal(400, 'AuthorizationHeaderMalformed');
	const { region } = scope_of(m[1]);
	const signingDate = date_of(request.headers['x-amz-date']);
	if (Math.abs(Date.now() - signingDate) > 900000) throw new Refusal(403, 'RequestTimeTooSkewed');
	const hash = crypto.createHash('sha256').update(body).digest('hex');
	if (request.headers['x-amz-content-sha256'] !== hash) throw new Refusal(400, 'XAmzContentSHA256Mismatch');
	const names = m[2].split(';');
	for (const name of Object.keys(request.headers))
		if (name.startsWith('x-amz-') && !names.includes(name)) throw new Refusal(403, 'SignatureDoesNotMatch');
	const headers = {};
	for (const name of names) headers[name] = request.headers[name];
	const signed = await signer(region).sign({ ...parts_of(request), headers, body },
		{ signingDate, signableHeaders: new Set(names) });
	if (!signed.headers.authorization.endsWith(m[3])) throw new Refusal(403, 'SignatureDoesNotMatch');
}

async function verify_link(request) {
	const parts = parts_of(request);
	const given = parts.query['X-Amz-Signature'];
	const expiresIn = Number(parts.query['X-Amz-Expires']);
	const signingDate = date_of(parts.query['X-Amz-Date']);
	const { region } = scope_of(parts.query['X-Amz-Credential']);
	if (!(expiresIn > 0) || Date.now() > signingDate.getTime() + expiresIn * 1000) throw new Refusal(403, 'AccessDenied');
	for (const name of Object.keys(parts.query)) if (/^X-Amz-/.test(name)) delete parts.query[name];
	const hash = 'x-amz-content-sha256';
	const signed = await signer(region).presign({ ...parts, headers: { host: request.headers.host, [hash]: 'UNSIGNED-PAYLOAD' } },
		{ signingDate, expiresIn, unhoistableHeaders: new Set([hash]), unsignableHeaders: new Set([hash]) });
	if (signed.query['X-Amz-Signature'] !== given) throw new Refusal(403, 'SignatureDoesNotMatch');
}

// What s3rver lacks

function uploads(bucket) {
	const found = [];
	const walk = dir => {
		for (const entry of fs.existsSync(dir) ? fs.readdirSync(dir, { withFileTypes: true }) : [])
			if (entry.isDirectory()) walk(path.join(dir, entry.name));
			else if (entry.name === 'key') found.push({ id: path.basename(dir), dir, key: fs.readFileSync(path.join(dir, 'key'), 'utf8') });
	};
	walk(path.join(data, bucket));
	return found.filter(one => fs.existsSync(path.join(one.dir, 'metadata')));
}

function own(request, body) {
	const { path: name, query } = parts_of(request);
	const [, bucket, key] = /^\/([^/]+)\/?(.*)$/.exec(decodeURIComponent(name)) || [];
	if (!buckets.includes(bucket)) throw new Refusal(404, 'NoSuchBucket');
	if (request.method === 'GET' && !key && 'uploads' in query) {
		const list = uploads(bucket).filter(one => one.key.startsWith(query.prefix || ''));
		return '<ListMultipartUploadsResult><Bucket>' + bucket + '</Bucket><IsTruncated>false</IsTruncated>' + list.map(one =>
			`<Upload><Key>${one.key}</Key><UploadId>${one.id}</UploadId></Upload>`).join('') + '</ListMultipartUploadsResult>';
	}
	if (!('uploadId' in query)) return undefined;
	const upload = uploads(bucket).find(one => one.id === query.uploadId && one.key === key);
	if (!upload) throw new Refusal(404, 'NoSuchUpload');
	if (request.method === 'DELETE') {
		fs.rmSync(upload.dir, { recursive: true });
		return '';
	}
	if (request.method === 'POST') {
		const parts = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>(?:&quot;|")?([0-9a-f]+)(?:&quot;|")?<\/ETag>/g)];
		parts.forEach(([, number, etag], i) => {
			const file = path.join(upload.dir, number);
			if (!fs.existsSync(file) || fs.readFileSync(file + '.md5', 'utf8') !== etag) throw new Refusal(400, 'InvalidPart');
			if (i < parts.length - 1 && fs.statSync(file).size < PART_MIN) throw new Refusal(400, 'EntityTooSmall');
		});
	}
	return undefined;
}

// The front

function refuse(response, status, code) {
	response.writeHead(status, { 'Content-Type': 'application/xml' });
	response.end(`<?xml version="1.0"?>\n<Error><Code>${code}</Code><Message>of the test</Message></Error>`);
}

function pass(request, body) {
	return new Promise((resolve, reject) => {
		const inner = http.request({ socketPath: path.join(folder, 's3rver.sock'), method: request.method, path: request.url,
			headers: { ...request.headers, 'content-length': body.length } }, answer => {
			const chunks = [];
			answer.on('data', chunk => chunks.push(chunk));
			answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks) }));
		});
		inner.on('error', reject);
		inner.end(body);
	});
}

async function answer_of(request, body) {
	if (request.headers.authorization) await verify_header(request, body);
	else if (/[?&]X-Amz-Signature=/.test(request.url)) await verify_link(request);
	else throw new Refusal(403, 'AccessDenied');
	const mine = own(request, body);
	return mine === undefined ? pass(request, body)
		: { status: mine === '' ? 204 : 200, headers: { 'content-type': 'application/xml' }, body: Buffer.from(mine) };
}

async function serve(request, response) {
	const chunks = [];
	request.on('error', () => {});
	try { for await (const chunk of request) chunks.push(chunk); } catch { return; }
	const body = Buffer.concat(chunks);
	const rule = rule_for(request);
	const line = { method: request.method, url: request.url, bytes: body.length, rule: Boolean(rule) };
	try {
		if (rule && rule.delay) await new Promise(done => setTimeout(done, rule.delay));
		if (rule && rule.hang && !rule.after) return log({ ...line, status: 0 });
		if (rule && rule.status && !rule.after) throw new Refusal(rule.status, rule.code || 'InternalError');
		const answer = await answer_of(request, body);
		if (rule && rule.hang) return log({ ...line, status: 0 });
		if (rule && rule.status) throw new Refusal(rule.status, rule.code || 'InternalError');
		log({ ...line, status: answer.status });
		delete answer.headers['transfer-encoding'];
		delete answer.headers.connection;
		response.writeHead(answer.status, answer.status === 204 ? {} : { ...answer.headers, 'content-length': answer.body.length });
		if (rule && rule.cut !== undefined) {
			response.write(answer.body.subarray(0, rule.cut), () => request.socket.destroy());
			return;
		}
		response.end(request.method === 'HEAD' ? undefined : answer.body);
	} catch (error) {
		log({ ...line, status: error.status || 500, code: error.code, error: error.status ? undefined : String(error) });
		refuse(response, error.status || 500, error.code || 'InternalError');
	}
}

async function main() {
	fs.mkdirSync(data, { recursive: true });
	load('s3rver/lib/models/account').DUMMY_ACCOUNT.createKeyPair(ID, SECRET);
	const inner = new S3rver({ directory: data, silent: true, vhostBuckets: false,
		configureBuckets: buckets.map(name => ({ name, configs: [] })) });
	await inner.configureBuckets();
	http.createServer(inner.callback()).listen(path.join(folder, 's3rver.sock'));
	const front = https.createServer({ key: fs.readFileSync(keyFile), cert: fs.readFileSync(certFile) }, serve);
	front.listen(Number(process.env.KRN_S3_PORT || 0), '127.0.0.1', () => console.log(front.address().port));
}

process.on('SIGTERM', () => process.exit(0));
main();
