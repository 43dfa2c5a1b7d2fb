"""Submissions to DCASE Task 2, of 2020 to 2026: folders of score files in the challenge's own form, read and written.

:mod:`~asdbench.datasets.years` what each year calls its files and clips,
:mod:`~asdbench.datasets.ground_truth` their labels;
:mod:`~asdbench.submissions.rows` one file; :mod:`~asdbench.submissions.folder` a folder of them;
:mod:`~asdbench.submissions.development` what a set with labels in the clip names must hold;
:mod:`~asdbench.submissions.scoring` a folder to metrics; :mod:`~asdbench.submissions.export` results to a folder.
Nothing here imports torch, pandas or scikit-learn.
"""
