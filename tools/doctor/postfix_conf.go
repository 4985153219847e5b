package doctor

import (
	"context"
	"fmt"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// postfixConf is Postfix's configuration, as far as it was asked for.
type postfixConf struct {
	ctx      context.Context
	postconf string
	values   map[string]string            // of main.cf
	services []postfixService             // in the order of master.cf
	own      map[string]map[string]string // settings of one service, by SERVICE/TYPE
}

type postfixService struct {
	name    string // SERVICE/TYPE
	chroot  string
	program string
	words   []string // after the program
}

// readPostfix asks Postfix for its configuration.
func readPostfix(ctx context.Context, postconf string) (*postfixConf, error) {
	c := &postfixConf{ctx: ctx, postconf: postconf, values: map[string]string{}, own: map[string]map[string]string{}}
	lines, err := output(ctx, postconf, "-M")
	if err != nil {
		return nil, err
	}
	for _, line := range lines {
		if fields := strings.Fields(line); len(fields) >= 8 {
			c.services = append(c.services, postfixService{fields[0] + "/" + fields[1], fields[4], fields[7], fields[8:]})
		}
	}
	if lines, err = output(ctx, postconf, "-P"); err != nil {
		return nil, err
	}
	for _, line := range lines {
		key, value, ok := strings.Cut(line, " = ")
		if !ok {
			key, value = strings.TrimSuffix(line, " ="), ""
		}
		if at := strings.LastIndexByte(key, '/'); at > 0 {
			if c.own[key[:at]] == nil {
				c.own[key[:at]] = map[string]string{}
			}
			c.own[key[:at]][key[at+1:]] = value
		}
	}
	return c, nil
}

// main returns a setting of main.cf, without references to others.
func (c *postfixConf) main(parameter string) string {
	value, known := c.values[parameter]
	if !known {
		if lines, err := output(c.ctx, c.postconf, "-hx", parameter); err == nil {
			value = strings.TrimSpace(strings.Join(lines, " "))
		}
		c.values[parameter] = value
	}
	return value
}

var reference = regexp.MustCompile(`\$(?:\{([a-zA-Z0-9_]+)\}|\(([a-zA-Z0-9_]+)\)|([a-zA-Z0-9_]+))`)

// value returns a setting as it is for a service.
func (c *postfixConf) value(service, parameter string) string {
	own, ok := c.own[service][parameter]
	if !ok {
		return c.main(parameter)
	}
	return reference.ReplaceAllStringFunc(own, func(word string) string {
		return c.main(strings.Trim(word, "${}()"))
	})
}

// elements splits a list. What is in braces belongs together.
func elements(list string) []string {
	var all []string
	depth, start := 0, -1
	for i, r := range list {
		switch {
		case r == '{':
			depth++
		case r == '}':
			depth--
		}
		separator := depth == 0 && (r == ',' || r == ' ' || r == '\t' || r == '\n')
		switch {
		case separator && start >= 0:
			all = append(all, list[start:i])
			start = -1
		case !separator && start < 0:
			start = i
		}
	}
	if start >= 0 {
		all = append(all, list[start:])
	}
	return all
}

// query asks the tables of a list for a key, as Postfix would: the first that has it
// counts. The error is that of a table that cannot be used.
func (c *postfixConf) query(tables, key string) (string, error) {
	for _, table := range elements(tables) {
		if !strings.Contains(table, ":") {
			continue
		}
		out, err := c.postmap("-q", key, table)
		if err != nil || out != "" {
			return strings.TrimSpace(out), err
		}
	}
	return "", nil
}

// postmap runs the program. That it finds nothing is no error.
func (c *postfixConf) postmap(words ...string) (string, error) {
	ctx, cancel := context.WithTimeout(c.ctx, patient)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(path.Dir(c.postconf), "postmap"), words...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	for line := range strings.Lines(said.String()) {
		if err != nil && !strings.Contains(line, "unused parameter") {
			return "", fmt.Errorf("%s", strings.TrimSpace(strings.TrimPrefix(line, "postmap: ")))
		}
	}
	return string(out), nil
}

// keys returns what is in the tables of a list as far as they can be listed, at most so
// many, and whether there may be more.
func (c *postfixConf) keys(tables string, most int) (keys []string, more bool) {
	for _, table := range elements(tables) {
		kind, _, _ := strings.Cut(table, ":")
		if !slices.Contains([]string{"inline", "texthash", "hash", "lmdb", "btree", "cdb"}, kind) {
			more = true
			continue
		}
		out, err := c.postmap("-s", table)
		if err != nil {
			more = true
			continue
		}
		for line := range strings.Lines(out) {
			if len(keys) == most {
				return keys, true
			}
			if fields := strings.Fields(line); len(fields) > 0 {
				keys = append(keys, fields[0])
			}
		}
	}
	return keys, more
}
