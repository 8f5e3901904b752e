/* How a cluster is asked for processes: by sweeps for their tasks, by searches for their workers.
 */
#ifndef EEX_CORE_RUN_CLUSTER_H
#define EEX_CORE_RUN_CLUSTER_H

/* What `time` is asked for as, in words. */
#define EEX_CLUSTER_TIME "minutes, or a text of Slurm's such as \"1:00:00\""

enum { EEX_CLUSTER_TEXT = 200, EEX_CLUSTER_LINES = 4096 };

/* Texts go into a script as they are; "" are left out. */
typedef struct eex_cluster {
    char partition[EEX_CLUSTER_TEXT], time[EEX_CLUSTER_TEXT], memory[EEX_CLUSTER_TEXT];
    char container[EEX_CLUSTER_TEXT]; /* in front of the command: "apptainer exec image.sif" */
    char setup[EEX_CLUSTER_LINES];    /* lines in front of it: "module load cuda\n" */
    char options[EEX_CLUSTER_LINES];  /* more lines "#SBATCH ...", one each */
    int gpus, cpus;                   /* a process; 0: not asked for */
    int most;                         /* at a time; 0: any number */
} eex_cluster;

#endif
