/** The certificate authority of a test network. */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** An authority, and certificates of it for "localhost" and 127.0.0.1. */
export class Authority {
  /** @param {string} dir */
  constructor(dir) {
    this.certificate = path.join(dir, "ca.crt");
    this.key = path.join(dir, "ca.key");
    this.dir = dir;
  }

  async make() {
    const what = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test"];
    await run("openssl", ["req", ...what, "-keyout", this.key, "-out", this.certificate]);
  }

  /**
   * @param {string} name of the files
   * @param {string} of what the certificate is for
   */
  async certify(name, of) {
    const at = (/** @type {string} */ end) => path.join(this.dir, `${name}.${end}`);
    await writeFile(at("ext"), `subjectAltName=${of}\n`);
    const subject = ["-newkey", "rsa:2048", "-nodes", "-subj", `/CN=${name}`];
    await run("openssl", ["req", "-new", ...subject, "-keyout", at("key"), "-out", at("csr")]);
    const signer = ["-CA", this.certificate, "-CAkey", this.key, "-CAcreateserial", "-days", "2"];
    const files = ["-in", at("csr"), "-out", at("crt"), "-extfile", at("ext")];
    await run("openssl", ["x509", "-req", ...signer, ...files]);
    return ["--tls-cert", at("crt"), "--tls-key", at("key")];
  }
}
