package file

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"imip-agent/stores/audit"
)

// mainstays are the files that nothing is made anew from.
var mainstays = map[string]bool{requestsTable.name: true, offersTable.name: true, "delegates": true, "groups": true, "limits": true}

// strayed looks whether a directory, or a file of no known name, holds records, or is some, that
// belong into a directory of layer l, and notes where. Backups that were put back one level too
// deep leave them, and file systems and programs that change names.
func (w *walk) strayed(path, name string, isDir bool, l *layer) bool {
	dir := filepath.Dir(path)
	if right := w.rightName(dir, name, isDir, l); right != "" {
		w.stray(path, []audit.Move{{From: path, To: filepath.Join(dir, right)}},
			"is "+right+" under another name, so that no program finds it")
		return true
	}
	if !isDir {
		return false
	}
	if l == userLayer() && notUser(name) == "" && name != filepath.Base(w.base) && holds(path, l) {
		w.stray(path, []audit.Move{{From: path, To: filepath.Join(filepath.Dir(w.base), name)}},
			"is another user's directory, in which no program looks for their records")
		return true
	}
	inside := path
	for range 3 {
		if holds(inside, l) {
			w.stray(path, movesUp(inside, dir), "holds records that belong one level up, so that no program finds them")
			return true
		}
		entries, err := os.ReadDir(inside)
		if err != nil || len(entries) != 1 || !entries[0].IsDir() {
			return false
		}
		inside = filepath.Join(inside, entries[0].Name())
	}
	return false
}

// doubled notes a directory in one of the same name, with all that belongs into that.
func (w *walk) doubled(path, name string, l *layer) bool {
	dir := filepath.Dir(path)
	if name != filepath.Base(dir) || !slices.Contains([]string{"objects", "recurrences", othersDir}, name) {
		return false
	}
	entries, err := os.ReadDir(path)
	if err != nil || len(entries) == 0 || l.dirs != nil && !entries[0].IsDir() {
		return false // or it is of an event of that UID
	}
	w.stray(path, movesUp(path, dir), "holds records that belong one level up, so that no program finds them")
	return true
}

// stray notes records that have strayed. They are moved if nothing is in their places.
func (w *walk) stray(path string, moves []audit.Move, text string) {
	taken := ""
	for _, m := range moves {
		if _, err := os.Lstat(m.To); !errors.Is(err, fs.ErrNotExist) && !isVacant(m.To) {
			taken = m.To
		}
	}
	if taken != "" {
		moves = nil
		text += "; as " + taken + " is there as well, compare the two, move what is newer or missing there, and move this out of the store"
	}
	w.add(audit.Strayed, path, "%s", text)
	w.found[len(w.found)-1].Moves = moves
}

// isVacant reports whether a path is a directory or table with nothing in it.
func isVacant(path string) bool {
	info, err := os.Lstat(path)
	if err != nil {
		return false
	}
	if info.Mode().IsRegular() {
		return info.Size() == 0
	}
	entries, err := os.ReadDir(path)
	return info.IsDir() && err == nil && len(entries) == 0
}

// movesUp returns what moves all that is in a directory to another.
func movesUp(from, to string) (moves []audit.Move) {
	entries, err := os.ReadDir(from)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if e.Name() != lockDir && e.Name() != nextDir && e.Name() != stagingDir {
			moves = append(moves, audit.Move{From: filepath.Join(from, e.Name()), To: filepath.Join(to, e.Name())})
		}
	}
	return moves
}

// rightName returns the name of layer l that a name stands for: in other letters; or, where the
// right one is missing, with more after it. It is empty for other names.
func (w *walk) rightName(dir, name string, isDir bool, l *layer) string {
	folded := strings.ToLower(norm.NFKC.String(strings.TrimSpace(name)))
	for right, inside := range l.names {
		if right == lockDir || right == nextDir || right == stagingDir || right == outboxDir || isDir != (inside != nil) {
			continue
		}
		if folded == right {
			return right
		}
		if !isDir && mainstays[right] && strings.HasPrefix(folded, right) && !unicode.IsLetter(rune(folded[len(right)])) {
			if _, err := os.Lstat(filepath.Join(dir, right)); errors.Is(err, fs.ErrNotExist) {
				return right
			}
		}
		if _, err := os.Lstat(filepath.Join(dir, right)); isDir && strings.HasPrefix(folded, right) && errors.Is(err, fs.ErrNotExist) &&
			!slices.ContainsFunc(namesOf(l), func(other string) bool { return len(other) > len(right) && strings.HasPrefix(folded, other) }) {
			return right
		}
	}
	return ""
}

func namesOf(l *layer) (names []string) {
	for name := range l.names {
		names = append(names, name)
	}
	return names
}

// holds reports whether there is anything in a directory that belongs into one of layer l.
func holds(path string, l *layer) bool {
	entries, err := os.ReadDir(path)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		inside, known := l.names[strings.ToLower(e.Name())]
		return known && e.IsDir() == (inside != nil) && e.Name() != lockDir && e.Name() != nextDir
	})
}

// deepStore looks whether a directory among users' is a store of its own, as one that was put back
// one level too deep, and notes where its users belong.
func (w *walk) deepStore(path string) bool {
	for inside := path; ; {
		entries, err := os.ReadDir(inside)
		if err != nil {
			return false
		}
		var moves []audit.Move
		for _, e := range entries {
			if e.IsDir() && notUser(e.Name()) == "" {
				moves = append(moves, audit.Move{From: filepath.Join(inside, e.Name()), To: filepath.Join(filepath.Dir(path), e.Name())})
			}
		}
		if len(moves) > 0 {
			w.stray(path, moves, "holds users' directories, "+filepath.Base(moves[0].From)+" among them, where no program looks for them")
			return true
		}
		if len(entries) != 1 || !entries[0].IsDir() || strings.Count(inside[len(path):], "/") > 2 {
			return false
		}
		inside = filepath.Join(inside, entries[0].Name())
	}
}
