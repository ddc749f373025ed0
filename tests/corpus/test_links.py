"""Links: which file a notebook reads, and the code that reads it from data/."""

from pathlib import Path

import pytest

from cellwright.core.types import Cell, Notebook, Provenance
from cellwright.corpus.links import LinkedNotebook, TableStore, link
from cellwright.corpus.sources import Sources


def linked(tmp_path: Path, files: list[str], *sources: str, at: str = "nb/a.ipynb") -> LinkedNotebook:
    """A notebook with these cells, linked in a source with these files."""
    root = tmp_path / "root"
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"name\n{name}\n")
    cells = tuple(Cell("code", text) for text in sources)
    with Sources([root]) as opened:
        (source,) = opened.by_name.values()
        provenance = Provenance("root", at, "0" * 64)
        return link(Notebook("id", provenance, cells), source, TableStore(tmp_path / "store"))


ONE_TABLE = {
    "pd.read_csv('x.csv')": "pd.read_csv('data/x.csv')",
    "pd.read_csv('./sub/x.csv')": "pd.read_csv('data/x.csv')",
    "pd.read_csv('../input/some-set/x.csv')": "pd.read_csv('data/x.csv')",
    "pd.read_csv('/kaggle/input/some-set/x.csv', sep=';')": "pd.read_csv('data/x.csv', sep=';')",
    r"pd.read_csv('C:\\Users\\me\\x.csv')": "pd.read_csv('data/x.csv')",
    "pd.read_csv(r'C:\\Users\\me\\x.csv')": "pd.read_csv('data/x.csv')",
    "pd.read_csv('/home/someone/else/X.CSV')": "pd.read_csv('data/x.csv')",
    "pd.read_csv('https://example.org/a/b/x.csv?raw=true')": "pd.read_csv('data/x.csv')",
    "pd.read_csv(filepath_or_buffer='x.csv')": "pd.read_csv(filepath_or_buffer='data/x.csv')",
    "p = 'x'\npd.read_csv(p + '.csv')": "p = 'x'\npd.read_csv('data/x.csv')",
    "p = 'x'\npd.read_csv(f'sub/{p}.csv')": "p = 'x'\npd.read_csv('data/x.csv')",
    "pd.read_csv('%s.csv' % 'x')": "pd.read_csv('data/x.csv')",
    "pd.read_csv('{}.{}'.format('x', 'csv'))": "pd.read_csv('data/x.csv')",
    "import os\nD = '..'\npd.read_csv(os.path.join(D, 'sub', 'x.csv'))": (
        "import os\nD = '..'\npd.read_csv('data/x.csv')"
    ),
    "from pathlib import Path\nD = Path('..') / 'sub'\npd.read_csv(D / 'x.csv')": (
        "from pathlib import Path\nD = Path('..') / 'sub'\npd.read_csv('data/x.csv')"
    ),
    "from pathlib import Path\nPath('x.csv').read_text()": "from pathlib import Path\nPath('data/x.csv').read_text()",
    "with open('x.csv') as f:\n    t = f.read()": "with open('data/x.csv') as f:\n    t = f.read()",
    "np.loadtxt('x.csv')": "np.loadtxt('data/x.csv')",
    "pd.Series.from_csv('x.csv')": "pd.Series.from_csv('data/x.csv')",
    "z = zipfile.ZipFile('x.csv')": "z = zipfile.ZipFile('data/x.csv')",
    "%matplotlib inline\ndf = pd.read_csv('x.csv')\n!ls": "%matplotlib inline\ndf = pd.read_csv('data/x.csv')\n!ls",
    "%%time\ndf = pd.read_csv('x.csv')": "%%time\ndf = pd.read_csv('data/x.csv')",
    "é = 'ü'; df = pd.read_csv('x.csv')  # é": "é = 'ü'; df = pd.read_csv('data/x.csv')  # é",
    "def load(path='x.csv'):\n    return pd.read_csv(path)\nload()": (
        "def load(path='data/x.csv'):\n    return pd.read_csv(path)\nload()"
    ),
    "def load(path):\n    return pd.read_csv(path)\nload('sub/x.csv')": (
        "def load(path):\n    return pd.read_csv(path)\nload('data/x.csv')"
    ),
    "def load(name, d='sub'):\n    p = d + '/' + name\n    return pd.read_csv(p)\nload('x.csv')": (
        "def load(name, d='sub'):\n    p = d + '/' + name\n    return pd.read_csv('data/x.csv')\nload('x.csv')"
    ),
}


@pytest.mark.parametrize("source", ONE_TABLE)
def test_path_is_found_and_rewritten(tmp_path: Path, source: str) -> None:
    """A path written in any of the usual ways means the file of that name, and nothing else of the cell changes."""
    found = linked(tmp_path, ["sub/x.csv", "sub/y.csv"], source)
    assert [table.path for table in found.tables] == ["sub/x.csv"]
    assert found.notebook.cells[0].source == ONE_TABLE[source]
    assert found.patches
    (table,) = found.tables
    assert (tmp_path / "store" / table.stored_name).read_text() == "name\nsub/x.csv\n"


SEVERAL = {
    "for n in ['x', 'y']:\n    pd.read_csv(f'../sub/{n}.csv')": (
        "for n in ['x', 'y']:\n    pd.read_csv(f'data/{n}.csv')"
    ),
    "for p in ['sub/x.csv', 'sub/y.csv']:\n    pd.read_csv(p)": (
        "for p in ['data/x.csv', 'data/y.csv']:\n    pd.read_csv(p)"
    ),
    "d = {n: pd.read_csv(n + '.csv') for n in ('x', 'y')}": (
        "d = {n: pd.read_csv('data/' + (n + '.csv').rpartition('/')[2]) for n in ('x', 'y')}"
    ),
    "for n in 'xy':\n    pass\nimport glob\nglob.glob('../sub/*.csv')": (
        "for n in 'xy':\n    pass\nimport glob\nglob.glob('data/*.csv')"
    ),
    "def load(n):\n    p = os.path.join('..', 'sub', n)\n    return pd.read_csv(p)\nload('x.csv'), load('y.csv')": (
        "def load(n):\n    p = os.path.join('data', n)\n    return pd.read_csv(p)\nload('x.csv'), load('y.csv')"
    ),
    "def main():\n    load('x'), load('y')\ndef load(n):\n    return pd.read_csv('../sub/' + n + '.csv')\nmain()": (
        "def main():\n    load('x'), load('y')\ndef load(n):\n    return pd.read_csv('data/' + n + '.csv')\nmain()"
    ),
    "files = {'a': 'x.csv', 'b': 'y.csv'}\nfor k, v in files.items():\n    pd.read_csv(v)": (
        "files = {'a': 'data/x.csv', 'b': 'data/y.csv'}\nfor k, v in files.items():\n    pd.read_csv(v)"
    ),
}


MORE_THAN_READ = {
    "frames = {f: pd.read_csv(f) for f in ['x.csv', 'y.csv']}\nframes['x.csv']": (
        "frames = {f: pd.read_csv({'x.csv': 'data/x.csv', 'y.csv': 'data/y.csv'}[f]) for f in ['x.csv', 'y.csv']}\n"
        "frames['x.csv']"
    ),
    "for f in ['x.csv', 'y.csv']:\n    df = pd.read_csv(f)\n    df['source'] = f": (
        "for f in ['x.csv', 'y.csv']:\n"
        "    df = pd.read_csv({'x.csv': 'data/x.csv', 'y.csv': 'data/y.csv'}[f])\n    df['source'] = f"
    ),
    "def load(p):\n    return pd.read_csv(p).assign(source=p)\nload('x.csv'), load('y.csv')": (
        "def load(p):\n    return pd.read_csv({'x.csv': 'data/x.csv', 'y.csv': 'data/y.csv'}[p]).assign(source=p)\n"
        "load('x.csv'), load('y.csv')"
    ),
    "for n in 'x.csv', 'y.csv':\n    p = 'sub/' + n\n    df = pd.read_csv(p)\n    df['source'] = p": (
        "for n in 'x.csv', 'y.csv':\n    p = 'sub/' + n\n"
        "    df = pd.read_csv('data/' + (p).rpartition('/')[2])\n    df['source'] = p"
    ),
}


@pytest.mark.parametrize("source", MORE_THAN_READ)
def test_paths_that_are_keys_or_labels_stay_as_they_are(tmp_path: Path, source: str) -> None:
    """Where a path is used for more than its file, it is put in another's place only where the file is read."""
    found = linked(tmp_path, ["sub/x.csv", "sub/y.csv"], source)
    assert {table.path for table in found.tables} == {"sub/x.csv", "sub/y.csv"}
    assert found.notebook.cells[0].source == MORE_THAN_READ[source]


BRANCHES = {
    "if local:\n    p = 'x.csv'\nelse:\n    p = 'y.csv'\npd.read_csv(p)": (
        "if local:\n    p = 'data/x.csv'\nelse:\n    p = 'data/y.csv'\npd.read_csv(p)"
    ),
    "try:\n    import colab\n    p = 'x.csv'\nexcept ImportError:\n    p = 'y.csv'\npd.read_csv(p)": (
        "try:\n    import colab\n    p = 'data/x.csv'\nexcept ImportError:\n    p = 'data/y.csv'\npd.read_csv(p)"
    ),
    "p = 'x.csv'\nif other:\n    p = 'y.csv'\npd.read_csv(p)": (
        "p = 'data/x.csv'\nif other:\n    p = 'data/y.csv'\npd.read_csv(p)"
    ),
    "p = 'x.csv'\nif asked:\n    p = input()\npd.read_csv(p)": (
        "p = 'x.csv'\nif asked:\n    p = input()\npd.read_csv(p)"
    ),
    "p = 'x.csv'\ndef load():\n    return pd.read_csv(p)\na = load()\np = 'y.csv'\nb = load()": (
        "p = 'data/x.csv'\ndef load():\n    return pd.read_csv(p)\na = load()\np = 'data/y.csv'\nb = load()"
    ),
    "p = 'x.csv'\ndef load():\n    return pd.read_csv(p)\na = load()\np = input()\nb = load()": (
        "p = 'x.csv'\ndef load():\n    return pd.read_csv(p)\na = load()\np = input()\nb = load()"
    ),
    "def load(p=None):\n    if p is None:\n        p = 'x.csv'\n    return pd.read_csv(p)\nload(), load('y.csv')": (
        "def load(p=None):\n    if p is None:\n        p = 'data/x.csv'\n    return pd.read_csv(p)\n"
        "load(), load('data/y.csv')"
    ),
    "def load(p):\n    return pd.read_csv(p + '.csv')\nload('x')\nlist(map(load, names))": (
        "def load(p):\n    return pd.read_csv(p + '.csv')\nload('x')\nlist(map(load, names))"
    ),
    "p = 'x.csv'\nfor _ in range(2):\n    pd.read_csv(p)\n    p = 'y.csv'": (
        "p = 'x.csv'\nfor _ in range(2):\n    pd.read_csv(p)\n    p = 'y.csv'"
    ),
    "p = 'x.csv'\nwith open('y.csv') as p:\n    pd.read_csv(p)": (
        "p = 'x.csv'\nwith open('data/y.csv') as p:\n    pd.read_csv(p)"
    ),
}


@pytest.mark.parametrize("source", BRANCHES)
def test_a_path_that_may_be_another_is_not_taken_for_one(tmp_path: Path, source: str) -> None:
    """What a name stands for hangs on branches, on calls and on time: a read goes on following it."""
    assert linked(tmp_path, ["sub/x.csv", "sub/y.csv"], source).notebook.cells[0].source == BRANCHES[source]


def test_a_file_that_branches_look_for_in_several_places_is_read(tmp_path: Path) -> None:
    """Two folders of other machines mean one file, whatever the branch."""
    source = "if kaggle:\n    d = '/kaggle/input/'\nelse:\n    d = './'\npd.read_csv(d + 'x.csv')"
    found = linked(tmp_path, ["sub/x.csv"], source)
    assert found.notebook.cells[0].source == source.replace("d + 'x.csv'", "'data/x.csv'")


GLOBS = {
    "z = pd.read_csv('../sub/z.csv')\nfor f in glob.glob('../a/*.csv'):\n    pd.read_csv(f)": (
        "z = pd.read_csv('data/z.csv')\nfor f in ['data/x.csv', 'data/y.csv']:\n    pd.read_csv(f)"
    ),
    "a, b = glob.iglob('../a/*.csv'), glob.glob('../b/*.csv')": (
        "a, b = iter(['data/x.csv', 'data/y.csv']), ['data/v.csv']"
    ),
    "for d in ['a', 'b']:\n    glob.glob(f'../{d}/*.csv')": (
        "for d in ['a', 'b']:\n"
        "    {'../a/*.csv': ['data/x.csv', 'data/y.csv'], '../b/*.csv': ['data/v.csv']}[f'../{d}/*.csv']"
    ),
    "glob.glob('../a/*.csv') + glob.glob('../sub/z*.csv')[:0]": (
        "['data/x.csv', 'data/y.csv'] + glob.glob('data/z*.csv')[:0]"
    ),
}


@pytest.mark.parametrize("source", GLOBS)
def test_a_pattern_finds_what_it_found(tmp_path: Path, source: str) -> None:
    """The tables of other folders stand beside those that a pattern is for, and are not among them."""
    files = ["a/x.csv", "a/y.csv", "b/v.csv", "sub/z.csv"]
    assert linked(tmp_path, files, source).notebook.cells[0].source == GLOBS[source]


@pytest.mark.parametrize("source", SEVERAL)
def test_loops_over_files_are_rewritten(tmp_path: Path, source: str) -> None:
    """Where one expression stands for several files, all are found and the expression goes on standing for them."""
    found = linked(tmp_path, ["sub/x.csv", "sub/y.csv"], source)
    assert {table.path for table in found.tables} == {"sub/x.csv", "sub/y.csv"}
    assert found.notebook.cells[0].source == SEVERAL[source]


NOT_READ = [
    "df.to_csv('x.csv')",
    "open('x.csv', 'w')",
    "open('x.csv', mode='a')",
    "pd.read_csv(input())",
    "pd.read_csv('z.csv')",
    "pd.read_csv('https://example.org/z.csv')",
    "print('x.csv')",
    "this is not python 'x.csv'",
    "%%bash\ncat x.csv",
    "pd.read_csv('x.csv' * 10**9)",
    "pd.read_csv('\\n' * 5)",
    "pd.read_csv('../../../../etc/passwd')",
    "pd.read_csv('a.ipynb')",
]


@pytest.mark.parametrize("source", NOT_READ)
def test_what_reads_no_file_of_the_source_is_left_alone(tmp_path: Path, source: str) -> None:
    """Writing, unknown paths and files elsewhere give no table and no change."""
    found = linked(tmp_path, ["sub/x.csv", "nb/a.ipynb"], source)
    assert found.tables == ()
    assert found.notebook.cells[0].source == source


def test_same_name_in_two_folders_becomes_two_names(tmp_path: Path) -> None:
    """Two files of one name get different names under data/."""
    found = linked(tmp_path, ["a/x.csv", "b/x.csv"], "pd.read_csv('../a/x.csv')\npd.read_csv('../b/x.csv')")
    assert found.notebook.cells[0].source == "pd.read_csv('data/x.csv')\npd.read_csv('data/b-x.csv')"
    assert len({table.sha256 for table in found.tables}) == 2


def test_nearest_of_equal_names_is_meant_and_a_tie_is_not_guessed(tmp_path: Path) -> None:
    """The file nearest to the notebook is taken; where two are as near, none."""
    near = linked(tmp_path, ["nb/data/x.csv", "far/x.csv"], "pd.read_csv('old/x.csv')")
    assert [table.path for table in near.tables] == ["nb/data/x.csv"]
    tie = linked(tmp_path / "tie", ["p/x.csv", "q/x.csv"], "pd.read_csv('old/x.csv')")
    assert tie.tables == ()


def test_a_name_that_could_hold_anything_is_not_taken_from_a_folder_about_something_else(tmp_path: Path) -> None:
    """`train.csv` of a lesson on networks is not the one that a folder beside it has on ships."""
    files = ["nb/other.txt", "data/titanic/train.csv", "data/titanic/ages.csv"]
    source = "pd.read_csv('train.csv')\npd.read_csv('ages.csv')\npd.read_csv('../titanic/train.csv')"
    found = linked(tmp_path, files, source)
    assert found.notebook.cells[0].source == (
        "pd.read_csv('train.csv')\npd.read_csv('data/ages.csv')\npd.read_csv('data/train.csv')"
    )
    assert linked(tmp_path, files, "pd.read_csv('train.csv')", at="nb/titanic.ipynb").tables
    assert linked(tmp_path, ["data/train.csv"], "pd.read_csv('train.csv')").tables
    assert linked(tmp_path / "other", ["titanic/train.csv"], "pd.read_csv('train.csv')", at="kernel.ipynb").tables


def test_table_of_another_project_is_not_taken(tmp_path: Path) -> None:
    """In a folder of many projects, `train.csv` of another one is another table."""
    files = ["one/README.md", "one/nb/a.ipynb", "two/README.md", "two/train.csv"]
    assert linked(tmp_path, files, "pd.read_csv('train.csv')", at="one/nb/a.ipynb").tables == ()
    files.append("one/data/train.csv")
    found = linked(tmp_path, files, "pd.read_csv('train.csv')", at="one/nb/a.ipynb")
    assert [table.path for table in found.tables] == ["one/data/train.csv"]


def test_names_bound_in_one_cell_are_known_in_the_next(tmp_path: Path) -> None:
    """Constants flow from cell to cell, and a name that is bound to something unknown is forgotten."""
    found = linked(tmp_path, ["x.csv", "y.csv"], "p = 'x.csv'", "pd.read_csv(p)", "p = input()", "pd.read_csv(p)")
    assert [cell.source for cell in found.notebook.cells][1::2] == ["pd.read_csv('data/x.csv')", "pd.read_csv(p)"]
