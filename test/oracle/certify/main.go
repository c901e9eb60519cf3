// SPDX-License-Identifier: Apache-2.0

// Checks a log of pof-certify with Go's own note and tlog packages, which know nothing of it: the
// checkpoint's signature, the root and every tile computed again from the journal, proofs of
// records, consistency with older checkpoints, logs exported as static tiles, and cosignatures.
//
//	certify DIR [INDEX=PROOF ...] [OLD~CONSISTENCY ...]
//	certify -static DIR VKEY
//	certify -cosigned NOTE VKEY WITNESS-VKEY ...
//
// Tile readers of the library are not used: they believe tiles they have not checked.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func fail(format string, args ...interface{}) {
	fmt.Printf("no: "+format+"\n", args...)
	os.Exit(1)
}

func read(path string) []byte {
	b, err := os.ReadFile(path)
	if err != nil {
		fail("%v", err)
	}
	return b
}

// memory keeps the stored hashes in the order of tlog.StoredHashIndex.
type memory []tlog.Hash

func (m memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		if x < 0 || x >= int64(len(m)) {
			return nil, fmt.Errorf("no hash %d", x)
		}
		out[i] = m[x]
	}
	return out, nil
}

// entries takes a journal apart as its format is described in lib/trust/log.h.
func entries(journal []byte) [][]byte {
	if !bytes.HasPrefix(journal, []byte("POF journal 1\n\x00\x00")) {
		fail("the journal does not begin as one")
	}
	var out [][]byte
	for p := journal[16:]; len(p) > 0; {
		if string(p[:4]) != "\x00pof" || binary.BigEndian.Uint64(p[8:]) != uint64(len(out)) {
			fail("a frame does not begin as one behind entry %d", len(out))
		}
		count := binary.BigEndian.Uint32(p[4:])
		body := p[56 : 56+binary.BigEndian.Uint64(p[16:])]
		p = p[56+len(body):]
		for ; count > 0; count-- {
			n := int(binary.BigEndian.Uint16(body))
			out = append(out, body[2:2+n])
			body = body[2+n:]
		}
		if len(body) != 0 {
			fail("a frame has %d bytes too many", len(body))
		}
	}
	return out
}

func checkpoint(text []byte, verifier note.Verifier) tlog.Tree {
	n, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		fail("checkpoint: %v", err)
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		fail("checkpoint has another shape: %q", n.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		fail("size: %v", err)
	}
	hash, err := tlog.ParseHash(lines[2])
	if err != nil {
		fail("root: %v", err)
	}
	return tlog.Tree{N: size, Hash: hash}
}

func hashes(lines []string) []tlog.Hash {
	var out []tlog.Hash
	for _, l := range lines {
		h, err := tlog.ParseHash(l)
		if err != nil {
			fail("hash %q: %v", l, err)
		}
		out = append(out, h)
	}
	return out
}

// split parts a proof or consistency file into the lines before its blank line and the checkpoint.
func split(path string) ([]string, []byte) {
	b := read(path)
	i := bytes.Index(b, []byte("\n\n"))
	if i < 0 {
		fail("%s has no blank line", path)
	}
	return strings.Split(string(b[:i]), "\n"), b[i+2:]
}

// witness verifies cosignature/v1 (key type 4), which the note package leaves to its users.
type witness struct {
	name string
	key  ed25519.PublicKey
	hash uint32
}

func newWitness(vkey string) *witness {
	part := strings.SplitN(strings.TrimSpace(vkey), "+", 3)
	if len(part) != 3 {
		fail("witness key %q", vkey)
	}
	key, err := base64.StdEncoding.DecodeString(part[2])
	if err != nil || len(key) != 33 || key[0] != 4 {
		fail("witness key %q is not of type 4", vkey)
	}
	id := sha256.Sum256([]byte(part[0] + "\n" + string(key)))
	w := &witness{part[0], key[1:], binary.BigEndian.Uint32(id[:])}
	if part[1] != fmt.Sprintf("%08x", w.hash) {
		fail("witness key %q has id %08x", vkey, w.hash)
	}
	return w
}

func (w *witness) Name() string    { return w.name }
func (w *witness) KeyHash() uint32 { return w.hash }
func (w *witness) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	text := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(sig), msg)
	return ed25519.Verify(w.key, []byte(text), sig[8:])
}

// cosigned wants a note signed by its log and by every witness.
func cosigned(path string, vkeys []string) {
	log, err := note.NewVerifier(vkeys[0])
	if err != nil {
		fail("vkey: %v", err)
	}
	all := []note.Verifier{log}
	for _, k := range vkeys[1:] {
		all = append(all, newWitness(k))
	}
	n, err := note.Open(read(path), note.VerifierList(all...))
	if err != nil {
		fail("%s: %v", path, err)
	}
	if len(n.Sigs) != len(all) || len(n.UnverifiedSigs) != 0 {
		fail("%s has %d good and %d unknown signatures, want %d", path, len(n.Sigs), len(n.UnverifiedSigs), len(all))
	}
	fmt.Printf("yes: %d signatures\n", len(n.Sigs))
}

// static wants every tile and entry bundle of an exported log to be what Go computes from its
// entries. Every file below tile/ is looked at; partial tiles of older sizes are prefixes.
func static(dir, vkey string) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		fail("vkey: %v", err)
	}
	tree := checkpoint(read(filepath.Join(dir, "checkpoint")), verifier)
	var stored memory
	var bundles [][]byte
	for n := int64(0); n < tree.N; n += 256 {
		t := tlog.Tile{H: 8, L: 0, N: n / 256, W: 256}
		if tree.N-n < 256 {
			t.W = int(tree.N - n)
		}
		bundle := read(filepath.Join(dir, "tile/entries", strings.TrimPrefix(t.Path(), "tile/8/0/")))
		bundles = append(bundles, bundle)
		p := bundle
		for i := 0; i < t.W; i++ {
			if len(p) < 2 || len(p) < 2+int(binary.BigEndian.Uint16(p)) {
				fail("bundle %d ends in entry %d", t.N, i)
			}
			size := int(binary.BigEndian.Uint16(p))
			h, err := tlog.StoredHashes(n+int64(i), p[2:2+size], stored)
			if err != nil {
				fail("%v", err)
			}
			stored = append(stored, h...)
			p = p[2+size:]
		}
		if len(p) != 0 {
			fail("bundle %d has %d bytes too many", t.N, len(p))
		}
	}
	root, err := tlog.TreeHash(tree.N, stored)
	if err != nil || root != tree.Hash {
		fail("root of the entries is %v, signed is %v (%v)", root, tree.Hash, err)
	}
	needed := map[string]bool{}
	for _, t := range tlog.NewTiles(8, 0, tree.N) {
		// NewTiles names every width on the way to this size; needed are the last ones.
		if t.W == 256 || t.N*256+int64(t.W) == tree.N>>(8*uint(t.L)) {
			needed["tile/"+strings.TrimPrefix(t.Path(), "tile/8/")] = true
		}
	}
	files := 0
	err = filepath.Walk(filepath.Join(dir, "tile"), func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		files++
		delete(needed, name)
		if strings.HasPrefix(name, "tile/entries/") {
			t, err := tlog.ParseTilePath("tile/8/0/" + strings.TrimPrefix(name, "tile/entries/"))
			if err != nil || !bytes.HasPrefix(bundles[t.N], read(path)) {
				fail("%s is not how the bundle begins (%v)", name, err)
			}
			return nil
		}
		t, err := tlog.ParseTilePath("tile/8/" + strings.TrimPrefix(name, "tile/"))
		if err != nil {
			fail("%v", err)
		}
		want, err := tlog.ReadTileData(t, stored)
		if err != nil || !bytes.Equal(want, read(path)) {
			fail("%s differs (%v)", name, err)
		}
		return nil
	})
	if err != nil || len(needed) != 0 {
		fail("missing %v (%v)", needed, err)
	}
	fmt.Printf("yes: %d entries, %d files of %s\n", tree.N, files, verifier.Name())
}

func main() {
	switch os.Args[1] {
	case "-static":
		static(os.Args[2], os.Args[3])
		return
	case "-cosigned":
		cosigned(os.Args[2], os.Args[3:])
		return
	}
	dir := os.Args[1]
	verifier, err := note.NewVerifier(strings.TrimSpace(string(read(filepath.Join(dir, "vkey")))))
	if err != nil {
		fail("vkey: %v", err)
	}
	tree := checkpoint(read(filepath.Join(dir, "checkpoint")), verifier)
	record := entries(read(filepath.Join(dir, "journal")))
	var stored memory
	for i, e := range record {
		h, err := tlog.StoredHashes(int64(i), e, stored)
		if err != nil {
			fail("%v", err)
		}
		stored = append(stored, h...)
	}
	root, err := tlog.TreeHash(tree.N, stored)
	if err != nil || root != tree.Hash || tree.N != int64(len(record)) {
		fail("root of %d entries is %v, signed is %v of %d (%v)", len(record), root, tree.Hash, tree.N, err)
	}
	tiles := 0
	for _, t := range tlog.NewTiles(8, 0, tree.N) {
		want, err := tlog.ReadTileData(t, stored)
		file := read(filepath.Join(dir, fmt.Sprintf("tiles.%d", t.L)))
		at := int(t.N) * 256 * tlog.HashSize
		if err != nil || len(file) < at+len(want) || !bytes.Equal(file[at:at+len(want)], want) {
			fail("tile %s differs (%v)", t.Path(), err)
		}
		tiles++
	}
	checked := 0
	for _, arg := range os.Args[2:] {
		if i := strings.Index(arg, "="); i > 0 {
			index, _ := strconv.ParseInt(arg[:i], 10, 64)
			head, check := split(arg[i+1:])
			t := checkpoint(check, verifier)
			if head[0] != "c2sp.org/tlog-proof@v1" || head[1] != "index "+arg[:i] {
				fail("%s begins with %q", arg, head[:2])
			}
			if err := tlog.CheckRecord(hashes(head[2:]), t.N, t.Hash, index, tlog.RecordHash(record[index])); err != nil {
				fail("%s: %v", arg, err)
			}
		} else if i := strings.Index(arg, "~"); i > 0 {
			old := checkpoint(read(arg[:i]), verifier)
			head, check := split(arg[i+1:])
			t := checkpoint(check, verifier)
			if head[0] != fmt.Sprintf("old %d", old.N) {
				fail("%s begins with %q", arg, head[0])
			}
			if err := tlog.CheckTree(hashes(head[1:]), t.N, t.Hash, old.N, old.Hash); err != nil {
				fail("%s: %v", arg, err)
			}
		}
		checked++
	}
	fmt.Printf("yes: %d entries, %d tiles, %d proofs of %s\n", tree.N, tiles, checked, verifier.Name())
}
