package check

import (
	"path/filepath"
	"slices"

	"imip-agent/stores"
	"imip-agent/stores/audit"
)

// fileKinds are the findings for what is wrong with files as files.
var fileKinds = map[audit.Kind]*Kind{
	audit.Link: fileLink, audit.Device: fileDevice, audit.BadName: fileName, audit.Empty: fileEmpty, audit.Strayed: fileStrayed, audit.Oversize: fileLarge,
	audit.Misplaced: fileMisplaced, audit.Mode: fileMode, audit.Group: fileGroup, audit.HardLink: fileHardLink,
	audit.Staging: fileStaging, audit.EmptyDir: fileEmptyDir, audit.Unknown: fileUnknown,
	audit.NoUser: userNone, audit.SameUser: userSame, audit.BothUsed: userBoth, audit.Ownerless: publishedUnwanted,
}

// files finds what is wrong with the user's files as files.
func (f finder) files() {
	for _, p := range f.problems {
		f.addFile(p)
	}
}

// addFile adds a finding about a file as a file.
func (f *found) addFile(p audit.Problem) {
	k := fileKinds[p.Kind]
	finding := f.add(k, p.Path, stores.ID{}, "%s %s", filepath.Base(p.Path), p.Text)
	switch p.Kind {
	case audit.Mode:
		finding.mendBy(chmod{p.Mode})
	case audit.Group:
		finding.mendBy(chgrp{p.GID})
	case audit.HardLink:
		finding.mendBy(separate{})
	case audit.Strayed:
		if len(p.Moves) > 0 {
			finding.mendBy(relocate{p.Moves})
		}
	case audit.EmptyDir, audit.Unknown, audit.BothUsed:
	default:
		finding.mendBy(aside{})
	}
}

// dropCovered drops findings about the permissions of files that are to be moved away
// for a graver reason.
func (f *found) dropCovered() {
	moved := make(map[string]bool)
	for _, finding := range f.findings {
		switch finding.Kind {
		case eventUnreadable, eventSeveral, eventWrongName, eventLeftover, eventBoth:
			moved[finding.Path] = true
		}
	}
	f.findings = slices.DeleteFunc(f.findings, func(finding *Finding) bool {
		return moved[finding.Path] && (finding.Kind == fileMode || finding.Kind == fileGroup || finding.Kind == fileHardLink)
	})
}
