// Holds the log's formats against golang.org/x/mod/sumdb, which is not ours.
//
// The Go toolchain carries the package in its own vendor folder; a GOPATH with a link to it is enough (see gotool.py).
//
//	main make >../vectors/sumdb.json
//	main check <ours.json
//	main published FOLDER KEY
//	main trees <asked.json >answers.json
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// A published log: key, checkpoint, tiles by path, entries in order.
type published struct {
	VerifierKey string            `json:"verifier_key"`
	Checkpoint  string            `json:"checkpoint"`
	Tiles       map[string][]byte `json:"tiles"`
	Entries     [][]byte          `json:"entries"`
}

type proofVector struct {
	Index int64    `json:"index"`
	Size  int64    `json:"size"`
	Path  [][]byte `json:"path"`
}

type vectors struct {
	published
	SignerKey   string        `json:"signer_key"`
	Roots       [][]byte      `json:"roots"`
	Inclusion   []proofVector `json:"inclusion"`
	Consistency []proofVector `json:"consistency"`
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// path is C2SP's: sumdb puts the height in front of the level.
func path(t tlog.Tile) string {
	return strings.Replace(t.Path(), fmt.Sprintf("tile/%d/", t.H), "tile/", 1)
}

type tileReader map[string][]byte

func (r tileReader) Height() int                         { return height }
func (r tileReader) SaveTiles(_ []tlog.Tile, _ [][]byte) {}
func (r tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, t := range tiles {
		data, ok := r[path(t)]
		if !ok {
			return nil, fmt.Errorf("%s is missing", path(t))
		}
		found = append(found, data)
	}
	return found, nil
}

func check(p published) {
	verifier, err := note.NewVerifier(p.VerifierKey)
	must(err)
	signed, err := note.Open([]byte(p.Checkpoint), note.VerifierList(verifier))
	must(err)
	lines := strings.Split(signed.Text, "\n")
	var size int64
	_, err = fmt.Sscanf(lines[1], "%d", &size)
	must(err)
	root, err := tlog.ParseHash(lines[2])
	must(err)
	if lines[0] != verifier.Name() || size != int64(len(p.Entries)) {
		must(fmt.Errorf("origin %q, size %d, %d entries", lines[0], size, len(p.Entries)))
	}
	reader := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, tileReader(p.Tiles))
	for i, entry := range p.Entries {
		proof, err := tlog.ProveRecord(size, int64(i), reader)
		must(err)
		must(tlog.CheckRecord(proof, size, root, int64(i), tlog.RecordHash(entry)))
	}
	for old := int64(1); old <= size; old++ {
		proof, err := tlog.ProveTree(size, old, reader)
		must(err)
		before, err := tlog.TreeHash(old, reader)
		must(err)
		must(tlog.CheckTree(proof, size, root, old, before))
	}
	fmt.Printf("%d entries and %d older trees proved\n", size, size)
}

// folder reads what lies in one that our publisher wrote: every bundle whose width the checkpoint names, every tile as it is asked for.
func folder(dir, key string) published {
	p := published{VerifierKey: key, Tiles: map[string][]byte{}}
	signed, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	must(err)
	p.Checkpoint = string(signed)
	var size int
	_, err = fmt.Sscanf(strings.Split(p.Checkpoint, "\n")[1], "%d", &size)
	must(err)
	for _, t := range tlog.NewTiles(height, 0, int64(size)) {
		if t.W < 1<<height && t.W != size>>(height*t.L)%(1<<height) {
			continue // a partial tile of a smaller tree
		}
		data, err := os.ReadFile(filepath.Join(dir, path(t)))
		must(err)
		p.Tiles[path(t)] = data
		if t.L == 0 {
			bundle, err := os.ReadFile(filepath.Join(dir, strings.Replace(path(t), "tile/0/", "tile/entries/", 1)))
			must(err)
			for len(bundle) > 0 {
				end := 2 + int(bundle[0])<<8 + int(bundle[1])
				p.Entries = append(p.Entries, bundle[2:end])
				bundle = bundle[end:]
			}
		}
	}
	return p
}

func hashes(proof []tlog.Hash) [][]byte {
	found := [][]byte{}
	for i := range proof {
		found = append(found, append([]byte{}, proof[i][:]...))
	}
	return found
}

func make_() {
	const size = 600
	v := vectors{published: published{Tiles: map[string][]byte{}}}
	skey, vkey, err := note.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{7}, 64)), "log.example/sumdb")
	must(err)
	v.SignerKey, v.VerifierKey = skey, vkey
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var found []tlog.Hash
		for _, i := range indexes {
			found = append(found, stored[i])
		}
		return found, nil
	})
	for n := int64(0); n < size; n++ {
		entry := []byte(fmt.Sprintf(`{"n":%d}`, n))
		v.Entries = append(v.Entries, entry)
		added, err := tlog.StoredHashes(n, entry, reader)
		must(err)
		stored = append(stored, added...)
		if n < 65 {
			root, err := tlog.TreeHash(n+1, reader)
			must(err)
			v.Roots = append(v.Roots, append([]byte{}, root[:]...))
		}
	}
	for _, s := range []int64{1, 2, 3, 7, 8, 65, 257, size} {
		for i := int64(0); i < s; i += 1 + s/9 {
			proof, err := tlog.ProveRecord(s, i, reader)
			must(err)
			v.Inclusion = append(v.Inclusion, proofVector{i, s, hashes(proof)})
			older, err := tlog.ProveTree(s, i+1, reader)
			must(err)
			v.Consistency = append(v.Consistency, proofVector{i + 1, s, hashes(older)})
		}
	}
	for _, t := range tlog.NewTiles(height, 0, size) {
		if t.W < 1<<height && t.W != size>>(height*t.L)%(1<<height) {
			continue // a partial tile of a smaller tree
		}
		data, err := tlog.ReadTileData(t, reader)
		must(err)
		v.Tiles[path(t)] = data
	}
	root, err := tlog.TreeHash(size, reader)
	must(err)
	signer, err := note.NewSigner(skey)
	must(err)
	text := fmt.Sprintf("log.example/sumdb\n%d\n%s\n", size, base64.StdEncoding.EncodeToString(root[:]))
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	must(err)
	v.Checkpoint = string(signed)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	out.SetIndent("", " ")
	must(out.Encode(v))
}

// What is asked of a tree: roots of its beginnings, proofs. With one leaf hash alone, all leaves are equal, and the tree may be of any size.
type asked struct {
	Leaves      [][]byte   `json:"leaves"`
	Equal       bool       `json:"equal"`
	Roots       []int64    `json:"roots"`
	Inclusion   [][2]int64 `json:"inclusion"`
	Consistency [][2]int64 `json:"consistency"`
}

type answers struct {
	Roots       [][]byte   `json:"roots"`
	Inclusion   [][][]byte `json:"inclusion"`
	Consistency [][][]byte `json:"consistency"`
}

func hashOf(data []byte) (h tlog.Hash) {
	copy(h[:], data)
	return h
}

func bytesOf(hashes []tlog.Hash) [][]byte {
	found := [][]byte{}
	for _, h := range hashes {
		found = append(found, append([]byte{}, h[:]...))
	}
	return found
}

func equalReader(leaf tlog.Hash) tlog.HashReader {
	levels := []tlog.Hash{leaf}
	for i := 0; i < 62; i++ {
		levels = append(levels, tlog.NodeHash(levels[i], levels[i]))
	}
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var found []tlog.Hash
		for _, index := range indexes {
			level, _ := tlog.SplitStoredHashIndex(index)
			found = append(found, levels[level])
		}
		return found, nil
	})
}

func storedReader(leaves [][]byte) tlog.HashReader {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var found []tlog.Hash
		for _, index := range indexes {
			found = append(found, stored[index])
		}
		return found, nil
	})
	for i, leaf := range leaves {
		more, err := tlog.StoredHashesForRecordHash(int64(i), hashOf(leaf), reader)
		must(err)
		stored = append(stored, more...)
	}
	return reader
}

func answer(a asked) answers {
	var reader tlog.HashReader
	if a.Equal {
		reader = equalReader(hashOf(a.Leaves[0]))
	} else {
		reader = storedReader(a.Leaves)
	}
	given := answers{Roots: [][]byte{}, Inclusion: [][][]byte{}, Consistency: [][][]byte{}}
	for _, size := range a.Roots {
		root, err := tlog.TreeHash(size, reader)
		must(err)
		given.Roots = append(given.Roots, bytesOf([]tlog.Hash{root})[0])
	}
	for _, pair := range a.Inclusion {
		proof, err := tlog.ProveRecord(pair[1], pair[0], reader)
		must(err)
		given.Inclusion = append(given.Inclusion, bytesOf(proof))
	}
	for _, pair := range a.Consistency {
		proof, err := tlog.ProveTree(pair[1], pair[0], reader)
		must(err)
		given.Consistency = append(given.Consistency, bytesOf(proof))
	}
	return given
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "make" {
		make_()
		return
	}
	if len(os.Args) == 4 && os.Args[1] == "published" {
		check(folder(os.Args[2], os.Args[3]))
		return
	}
	if len(os.Args) == 2 && os.Args[1] == "trees" {
		var a asked
		must(json.NewDecoder(os.Stdin).Decode(&a))
		must(json.NewEncoder(os.Stdout).Encode(answer(a)))
		return
	}
	var p published
	must(json.NewDecoder(os.Stdin).Decode(&p))
	check(p)
}
