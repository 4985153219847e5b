package deliver

// Ask asks the server whether it takes mail from an envelope sender (empty: the null sender) for recipients, and sends
// none. It returns an error for each of them, as [Connection.Send] does.
func (c *Connection) Ask(from string, to []string) []error {
	results := make([]error, len(to))
	open, err := c.begin(from, to, results, new(letter))
	for _, i := range open {
		if err != nil && results[i] == nil {
			results[i] = c.server.refused(to[i], err)
		}
	}
	if err == nil && len(open) > 0 {
		_ = c.ready() // what has been begun is given up; if that fails, the connection is of no use any more
	}
	return results
}
